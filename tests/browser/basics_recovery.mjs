// A new server that opens by itself: recovery keys instead of unseal keys, and no step to unseal.
import { assert, examine, given, open, story } from "./harness.mjs";

await story(async (cx) => {
  const { page } = cx;
  await open(cx);
  await page.getByRole("heading", { name: "A new server" }).waitFor();
  await page.getByText("It is opened by its seal (static)").waitFor();
  await page.getByLabel("Recovery key shares").fill("3");
  await page.getByLabel("How many are needed").fill("2");
  await page.getByRole("button", { name: "Initialise" }).click();
  await page.getByRole("heading", { name: "Keep these keys" }).waitFor();
  await page.getByText("Recovery key 3").waitFor();
  await examine(cx, "new-recovery-keys");
  assert.equal(await page.getByRole("button", { name: /unseal/i }).count(), 0);
  await page.getByRole("button", { name: "Show Initial root token" }).click();
  const token = await page.locator(".secret code").textContent();
  await page.getByLabel("I have kept the keys").check();
  await page.getByRole("button", { name: "Go on to sign in" }).click();
  await page.getByLabel("Token", { exact: true }).fill(token);
  await page.keyboard.press("Enter");
  await page.getByText("opened by its seal (static); a single node").waitFor();
  assert.ok(given.addr);
});
