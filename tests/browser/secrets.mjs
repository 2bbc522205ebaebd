// The life of a secret: written, hidden, compared, rolled back, deleted and brought back, and never over somebody else's writing.
import { accessible, api, assert, examine, fits, given, go, signIn, story } from "./harness.mjs";

const MARKUP = "<img src=q onerror=document.title=1>";

await story(async (cx) => {
  const { page } = cx;
  const button = (name) => page.getByRole("button", { name, exact: true });
  const link = (name) => page.getByRole("link", { name, exact: true });
  await signIn(cx, given.token, "/secrets");
  await link("secret/").click();
  await examine(cx, "secrets-folder");

  // The first version, by rows; nothing is lost on the way through JSON.
  await link("Create a secret").first().click();
  await page.getByLabel("Name", { exact: true }).fill("shop/db");
  await page.getByLabel("Key of row 1").fill("user");
  await page.getByLabel("Value of user", { exact: true }).fill("ann");
  await page.getByRole("tab", { name: /^JSON/ }).click();
  await page.getByLabel("Values as JSON").fill(`{"user": "ann", "big": 18446744073709551615, "html": ${JSON.stringify(MARKUP)}}`);
  await page.getByRole("tab", { name: "Keys and values" }).click();
  await page.getByRole("tab", { name: /^JSON/ }).click();
  assert.ok((await page.getByLabel("Values as JSON").inputValue()).includes("18446744073709551615"));
  await button("Create").click();
  await page.getByRole("heading", { name: "db", exact: true }).waitFor();
  assert.ok(!(await page.locator("main").innerText()).includes("ann"), "a value is shown unasked");
  await button("Show all").click();
  await page.getByText("18446744073709551615").waitFor();
  assert.equal(await page.locator("main img").count(), 0);
  assert.notEqual(await page.title(), "1");
  await examine(cx, "secrets-values");

  // A conflict: somebody else writes while this one edits.
  await link("New version").click();
  await button("Show and change the value of user").click();
  await page.getByLabel("Value of user", { exact: true }).fill("mine");
  await examine(cx, "secrets-edit");
  await api("POST", "secret/data/shop/db", { data: { user: "theirs", more: "2" } });
  await button("Save").click();
  await page.getByText("Somebody else wrote meanwhile").waitFor();
  await examine(cx, "secrets-conflict");
  await button("Put both together").click();
  await button("Save").click();
  await page.getByText("Written: version 3").waitFor();
  const now = await api("GET", "secret/data/shop/db");
  assert.deepEqual(now.body.data.data, { user: "mine", more: "2" });

  // Versions: compare, roll back, delete, bring back, destroy.
  await link("Compare").click();
  await page.getByText("changed", { exact: true }).first().waitFor();
  await examine(cx, "secrets-compare");
  await button("Show values").click();
  await page.locator(".diff .added").first().waitFor();
  await link("Versions").click();
  const act = async (what, version) => {
    await button(`${what} version ${version}`).click();
    await page.getByRole("dialog").getByRole("button", { name: what, exact: true }).click();
    await page.getByRole("dialog").waitFor({ state: "detached" });
  };
  await act("Restore", 1);
  await page.getByText("Version 1 is version 4 now").waitFor();
  await act("Delete", 4);
  await act("Bring back", 4);
  await act("Destroy", 1);
  await page.getByText("destroyed", { exact: true }).waitFor();
  await examine(cx, "secrets-versions");
  const restored = await fetch(`${given.addr}/v1/secret/data/shop/db`, { headers: { "X-Vault-Token": given.token } });
  assert.ok((await restored.text()).includes("18446744073709551615"), "a restored number has changed");
  await link("Settings").click();
  await page.getByLabel("Versions to keep").fill("5");
  await button("Save settings").click();
  await page.getByText("The settings are saved").waitFor();
  await examine(cx, "secrets-settings");

  // Names are inert, too, and found below.
  await api("POST", `secret/data/shop/${encodeURIComponent(MARKUP)}`, { data: {} });
  await go(cx, "/secrets/secret/");
  await page.getByLabel("Search by name, in this folder and below").fill("onerror");
  await page.getByText("1 found").waitFor();
  assert.equal(await page.locator("main img").count(), 0);

  // A token with few rights.
  await page.reload();
  await signIn(cx, given.reader, "/secrets/secret/shop/db");
  await page.getByRole("heading", { name: "db", exact: true }).waitFor();
  assert.ok(await button("New version").isDisabled() && (await button("Delete").isDisabled()));
  await go(cx, "/secrets/secret/");
  await page.getByText("Your token may not see the names here").waitFor();
  await accessible(cx, "a folder that may not be listed");
  await fits(cx, "a folder that may not be listed");
});
