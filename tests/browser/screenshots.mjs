// The pictures of docs/images: the main screens in light and dark, and the overview at phone width.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { given, go, open, signIn, story, theme, THEMES } from "./harness.mjs";
import { smaller } from "./png.mjs";

/** A name, a place, and what has to be there before it is taken. */
const SCREENS = [
  ["overview", "/", (page) => page.locator(".stat .spark .path").nth(2).waitFor()],
  ["events", "/events", (page) => page.locator("[data-event]").nth(14).waitFor()],
  ["audit", "/events/audit", (page) => page.locator("[data-audit]").nth(14).waitFor()],
];
const HISTORY_MS = Number(process.env.COFFER_PICTURES_HISTORY_MS ?? 12_000);

await story(async (cx) => {
  const { page } = cx;
  await page.setViewportSize({ width: 1280, height: 800 });
  await open(cx);
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  await both(cx, "sign-in");
  await signIn(cx, given.token);
  for (const [name, place, ready] of SCREENS) {
    await go(cx, place);
    await ready(page);
    // The lines of the overview grow while it is looked at.
    if (name === "overview") await page.waitForTimeout(HISTORY_MS);
    await both(cx, name);
  }
  await page.setViewportSize({ width: 390, height: 844 });
  await both(cx, "overview-phone");
});

async function both(cx, name) {
  mkdirSync(given.folder, { recursive: true });
  for (const one of THEMES) {
    await theme(cx, one);
    writeFileSync(join(given.folder, `${name}-${one}.png`), smaller(await cx.page.screenshot()));
  }
  await theme(cx, "light");
}
