// How fast the page opens on loopback: from the request to the sign-in form on the screen. A measurement, not a test.
import { given, story } from "./harness.mjs";

const ROUNDS = 20;

await story(async (cx) => {
  const times = { painted: [], usable: [] };
  for (let round = 0; round < ROUNDS; round++) {
    // Each time somebody who was never here before.
    const context = await cx.browser.newContext();
    const page = await context.newPage();
    const begun = Date.now();
    await page.goto(`${given.addr}/ui/`, { waitUntil: "commit" });
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    times.usable.push(Date.now() - begun);
    times.painted.push(await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? NaN));
    await context.close();
  }
  const sizes = await cx.page.goto(`${given.addr}/ui/`).then(() => cx.page.waitForLoadState("networkidle")).then(() => cx.page.evaluate(() => performance.getEntriesByType("resource").reduce((sum, { transferSize }) => sum + transferSize, 0)));
  cx.told = { first_contentful_paint_ms: summary(times.painted), sign_in_form_ms: summary(times.usable), bytes_on_the_wire: sizes };
});

function summary(values) {
  const sorted = [...values].sort((one, other) => one - other);
  return { median: Math.round(sorted[sorted.length >> 1]), worst: Math.round(sorted[sorted.length - 1]) };
}
