// Namespaces: signing in below the root, choosing, and names that look like markup.
import { api, assert, examine, given, open, signIn, story, theme, picture } from "./harness.mjs";

await story(async (cx) => {
  const { page } = cx;
  await open(cx);
  await page.getByText("Namespace: root").click();
  await page.getByLabel("Namespace", { exact: true }).fill("team");
  await page.locator("option", { hasText: "userpass" }).first().waitFor({ state: "attached" });
  await page.getByLabel("Username").fill("ann");
  await page.getByLabel("Password", { exact: true }).fill(given.password);
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Namespace: team/" }).waitFor();
  await page.getByText("of-the-team/").waitFor();
  // She sees no way up to the root, which is not hers.
  await page.getByRole("button", { name: "Namespace: team/" }).click();
  await page.getByLabel("Go to a namespace by its path").waitFor();
  assert.equal(await page.locator(".menu .item", { hasText: /^root$/ }).count(), 0);
  await page.keyboard.press("Escape");
  await page.reload();

  await signIn(cx, given.token);
  await page.getByRole("button", { name: "Namespace: root" }).click();
  await page.locator(".menu .item", { hasText: "team" }).waitFor();
  for (const name of ["light", "dark"]) {
    await theme(cx, name);
    await picture(cx, `namespaces-${name}`);
  }
  await theme(cx, "light");
  await page.locator(".menu .item", { hasText: "team" }).click();
  await page.getByRole("button", { name: "Namespace: team/" }).waitFor();
  await page.getByText("of-the-team/").waitFor();
  await page.getByRole("button", { name: "Namespace: team/" }).click();
  await page.locator(".menu .item", { hasText: /^root$/ }).click();
  await page.getByRole("button", { name: "Namespace: root" }).waitFor();
  await page.getByText("of-the-team/").waitFor({ state: "detached" });

  // By keyboard alone: open, type, go.
  await page.getByRole("button", { name: "Namespace: root" }).focus();
  await page.keyboard.press("Enter");
  await page.getByLabel("Go to a namespace by its path").fill("team/größe<b>");
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Namespace: team/größe<b>/" }).waitFor();
  await page.getByText("cubbyhole/").waitFor();
  await page.getByRole("button", { name: "Namespace: team/größe<b>/" }).click();
  await page.locator(".menu .item", { hasText: /^root$/ }).click();

  const name = '<b>x<img src=q onerror=document.title=1>';
  const made = await api("POST", `sys/mounts/${encodeURIComponent(name)}`, { type: "kv" });
  if (made.status === 204) {
    await page.getByRole("button", { name: "Namespace: root" }).click();
    await page.locator(".menu .item", { hasText: "team" }).click();
    await page.getByRole("button", { name: "Namespace: team/" }).click();
    await page.locator(".menu .item", { hasText: /^root$/ }).click();
    await page.getByText(`${name}/`).waitFor();
    assert.equal(await page.locator("main img, main b").count(), 0);
    assert.notEqual(await page.title(), "1");
  }
  await examine(cx, "overview-with-engines");
});
