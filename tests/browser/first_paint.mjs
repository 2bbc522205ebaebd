// How fast the page opens on loopback: from the request to the sign-in form on the screen; and how much moves while each screen opens
// (the layout shift of the web's own measure, of which 0.1 is good). A measurement, not a test.
import { given, go, signIn, story, until } from "./harness.mjs";

const ROUNDS = 20;
const LOOKED_AT_MS = 1_000;

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
  cx.told = { first_contentful_paint_ms: summary(times.painted), sign_in_form_ms: summary(times.usable), bytes_on_the_wire: sizes, moves: await moves(cx) };
});

/** What moves on the screens of the navigation while they open; those where something does. */
async function moves(cx) {
  const { page, context } = cx;
  await context.addInitScript(() => {
    globalThis.moved = 0;
    new PerformanceObserver((list) => list.getEntries().forEach(({ value }) => (globalThis.moved += value))).observe({ type: "layout-shift", buffered: true });
  });
  await page.reload();
  await signIn(cx, given.token);
  const links = page.getByRole("navigation", { name: "Areas" }).getByRole("link");
  await until(async () => (await links.count()) > 10, "the navigation knows what the token may do");
  const found = {};
  for (const place of await links.evaluateAll((all) => all.map((one) => one.getAttribute("href").slice(1)))) {
    await page.evaluate(() => (globalThis.moved = 0));
    await go(cx, place);
    await page.waitForTimeout(LOOKED_AT_MS);
    const moved = await page.evaluate(() => globalThis.moved);
    if (moved > 0.001) found[place] = Math.round(moved * 1_000) / 1_000;
  }
  return found;
}

function summary(values) {
  const sorted = [...values].sort((one, other) => one - other);
  return { median: Math.round(sorted[sorted.length >> 1]), worst: Math.round(sorted[sorted.length - 1]) };
}
