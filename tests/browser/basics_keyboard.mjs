// The frame by keyboard, and at phone width.
import { accessible, assert, given, picture, signIn, story, until } from "./harness.mjs";

await story(async (cx) => {
  const { page } = cx;
  await signIn(cx, given.token);
  await page.getByRole("heading", { name: "Overview" }).waitFor();
  // The first stop is the way past the navigation.
  await page.evaluate(() => document.activeElement.blur());
  await page.evaluate(() => document.body.setAttribute("tabindex", "-1"));
  await page.evaluate(() => document.body.focus());
  await page.keyboard.press("Tab");
  assert.equal(await focused(page), "Skip to content");
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement.id), "main");

  // Menus open by keyboard, move by arrows, and give the focus back.
  const who = page.getByRole("button", { name: /^Session of/ });
  await who.focus();
  await page.keyboard.press("Enter");
  await page.keyboard.press("ArrowDown");
  assert.equal(await focused(page), "Sign out and revoke the token");
  await page.keyboard.press("Escape");
  assert.ok((await page.evaluate(() => document.activeElement.getAttribute("aria-label"))).startsWith("Session of"));

  // A dialog keeps the focus inside, Escape closes it and the focus returns.
  await who.click();
  await page.getByRole("button", { name: "Sign out and revoke the token" }).click();
  const dialog = page.getByRole("dialog", { name: "Revoke this token?" });
  await dialog.waitFor();
  await accessible(cx, "a dialog");
  for (let step = 0; step < 6; step++) {
    await page.keyboard.press("Tab");
    assert.ok(await page.evaluate(() => document.activeElement === document.body || document.activeElement.closest("dialog") !== null), "the focus left the dialog");
  }
  await picture(cx, "dialog-light");
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });

  // Every place where the focus stops can be seen.
  await page.getByRole("link", { name: "Overview" }).focus();
  const ring = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
  assert.equal(ring, "solid");

  // At phone width the navigation is behind a button.
  await page.setViewportSize({ width: 390, height: 844 });
  await page.getByRole("navigation", { name: "Areas" }).waitFor({ state: "hidden" });
  await page.getByRole("button", { name: "Navigation", exact: true }).click();
  await page.getByRole("navigation", { name: "Areas" }).waitFor();
  await until(async () => (await focused(page)) === "Overview", "the focus is in the navigation");
  await accessible(cx, "the drawer");
  await picture(cx, "drawer-light-390");
  await page.keyboard.press("Escape");
  await page.getByRole("navigation", { name: "Areas" }).waitFor({ state: "hidden" });
});

function focused(page) {
  return page.evaluate(() => document.activeElement.textContent.trim());
}
