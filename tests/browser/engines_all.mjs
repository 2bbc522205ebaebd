// Everything that can be mounted, and every path that the server describes: each opens as a form, at the width of a phone, without
// a fault. A new engine takes part by being in the catalog.
import { api, assert, given, go, signIn, story } from "./harness.mjs";

await story(async (cx) => {
  const { page } = cx;
  const described = (await api("GET", "sys/internal/specs/openapi")).body;
  const paths = Object.keys(described.paths).map((path) => path.slice(1));
  await page.setViewportSize({ width: 390, height: 844 });
  await signIn(cx, given.token, "/engines");
  const found = [];
  for (const path of paths) {
    await go(cx, `/explorer/${encodeURIComponent(path)}`);
    await page.getByRole("heading", { level: 1, name: path, exact: true }).waitFor();
    await page.locator("main form[aria-label]").first().waitFor();
    await look(page, path, found);
  }
  for (const mount of given.mounts) {
    await go(cx, `/engines/${encodeURIComponent(mount)}`);
    await page.getByRole("heading", { level: 1, name: `${mount}/`, exact: true }).waitFor();
    await page.locator("main .card td a").first().waitFor();
    await look(page, mount, found);
    for (const place of await page.locator("main .card td a").evaluateAll((links) => links.map((link) => link.getAttribute("href").slice(1)))) {
      await go(cx, place);
      await page.waitForFunction(() => document.querySelector("main h1") && !document.querySelector("main .loading"));
      await look(page, place, found);
    }
  }
  assert.deepEqual(found, []);
  cx.told.paths = paths.length;
});

/** Notes a page that is too wide, and one that shows trouble. */
async function look(page, what, found) {
  const { over, alerts } = await page.evaluate(() => {
    const main = document.querySelector("main");
    return { over: main.scrollWidth - main.clientWidth, alerts: [...main.querySelectorAll("[role=alert]")].map((one) => one.textContent) };
  });
  if (over > 0) found.push(`${what} is too wide by ${over}`);
  found.push(...alerts.map((text) => `${what}: ${text}`));
}
