// The page of the demo's service: what it shows is what is, and moves when that does.
import assert from "node:assert/strict";
import { examine, given, story } from "./harness.mjs";

await story(async (cx) => {
  const { page } = cx;
  const text = (id) => page.locator(`#${id}`).innerText();
  const becomes = (id, value) => page.waitForFunction(([id, value]) => document.getElementById(id).textContent === value, [id, value]);
  const status = async () => (await page.request.get(`${given.addr}/status.json`)).json();

  await page.goto(`${given.addr}/`);
  await becomes("state", "running");
  await page.waitForFunction(() => document.querySelectorAll("#orders tr").length === 2);
  assert.match(await text("user"), /^v-/);
  assert.match(await text("left"), /^\d+ s$/);
  const offset = await page.locator("#arc").evaluate((arc) => parseFloat(getComputedStyle(arc).strokeDashoffset));
  assert.ok(offset >= 0 && offset < 100, `the ring shows what is left: ${offset}`);
  const before = Number(await text("queries"));
  await page.waitForFunction((before) => Number(document.getElementById("queries").textContent) > before, before);

  // A new value, written by somebody else, shows without a reload; HTML in names stays text.
  const version = Number(await text("secret_version"));
  await page.request.post(`${given.coffer}/v1/secret/data/app/config`, {
    headers: { "X-Vault-Token": given.token },
    data: { data: { api_key: "<img src=x onerror=alert(1)>" } },
  });
  await becomes("secret_version", String(version + 1));
  assert.equal((await status()).secret.fingerprint, await text("secret_fingerprint"));

  // So does another database user.
  const user = await text("user");
  await page.waitForFunction((user) => document.getElementById("user").textContent !== user, user, { timeout: 30_000 });
  assert.ok(Number(await text("switches")) >= 1);
  assert.equal(await text("errors"), "0");
  await page.locator("#log li", { hasText: "new credential: v-" }).first().waitFor();
  assert.equal(await page.locator("main img, main script").count(), 0);

  await examine(cx, "service");
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.id), "dashboard");
});
