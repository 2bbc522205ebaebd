// What every story in a browser begins with. A story is a file that calls `story(async (cx) => { … })`; pytest starts it as
// `node STORY.mjs JSON` with the server's address and whatever else the story needs (see tests/browser.py).
//
// Whatever a story is about, it also fails if the page asks another origin for anything, breaks its own content policy, throws, or
// logs an error.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const modules = process.env.COFFER_NODE_MODULES ?? join(process.env.HOME ?? "", ".cache/coffer-tests/node/node_modules");
const require = createRequire(join(modules, "/"));
const { chromium } = require("playwright-core");
const AXE = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

export const WIDTHS = [1440, 1024, 390];
export const THEMES = ["light", "dark"];
const HEIGHTS = { 1440: 900, 1024: 768, 390: 844 };
const SLOW_MS = 30_000;

/** What pytest handed to this story: `addr`, `token` … */
export const given = JSON.parse(process.argv[2] ?? "{}");

/** Runs a story in a fresh browser; the exit code says whether it held. */
export async function story(tell) {
  const browser = await chromium.launch({ executablePath: process.env.COFFER_CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
  try {
    const cx = await visitor(browser);
    await tell(cx);
    cx.fine();
    console.log(JSON.stringify({ ok: true, ...cx.told }));
  } catch (error) {
    console.error(error.stack ?? error);
    process.exitCode = 1;
  } finally {
    await browser.close();
  }
}

/** A person with a browser of their own: page, and what is looked at all the time. */
export async function visitor(browser, { theme = "light", width = 1440 } = {}) {
  const context = await browser.newContext({ viewport: { width, height: HEIGHTS[width] ?? 900 }, colorScheme: theme, reducedMotion: "reduce", acceptDownloads: true, locale: "en-US" });
  const page = await context.newPage();
  page.setDefaultTimeout(SLOW_MS);
  const cx = { browser, context, page, given, told: {}, wrong: [], allowed: [], url: (place = "/") => `${given.addr}/ui/#${place}` };
  // Written before any script of the page: violations of its policy are events of the document.
  await context.addInitScript(() => {
    addEventListener("securitypolicyviolation", (event) => console.error(`policy violation: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile ?? ""}`));
  });
  context.on("request", (request) => {
    const url = new URL(request.url());
    const own = url.origin === new URL(given.addr).origin || ["blob:", "data:"].includes(url.protocol) || url.href === "about:blank";
    if (!own && !cx.allowed.includes(url.origin)) cx.wrong.push(`asked another origin: ${url.href}`);
  });
  const watch = (one) => {
    one.on("pageerror", (error) => cx.wrong.push(`threw: ${error}`));
    one.on("console", (message) => {
      // Browsers log each refusal of the API themselves; whether one was right is for the story to say.
      if (message.type() === "error" && !/Failed to load resource/.test(message.text())) cx.wrong.push(`logged: ${message.text()}`);
    });
  };
  watch(page);
  context.on("page", watch);
  cx.fine = () => assert.deepEqual(cx.wrong, []);
  return cx;
}

/** Opens a place. */
export async function open({ page, url }, place = "/") {
  await page.goto(url(place));
}

/** Signs in by a token, and waits for the frame of the page. */
export async function signIn({ page, url }, token, place = "/") {
  await page.goto(url(place));
  await page.getByLabel("Method", { exact: true }).selectOption("token");
  await page.getByLabel("Token", { exact: true }).fill(token);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await page.locator("main#main").waitFor();
}

/** Goes to a place without loading the page anew (which would sign out). */
export async function go({ page }, place) {
  const arrive = (to) =>
    new Promise((arrived) => {
      if (location.hash === `#${to}`) return arrived();
      addEventListener("hashchange", () => arrived(), { once: true }); // It comes to the router first, which was there before.
      setTimeout(arrived, 1_000); // The same place in another spelling is no change.
      location.hash = to;
    });
  await page.evaluate(arrive, place);
}

/** Chooses light or dark, as the system would. */
export const theme = ({ page }, name) => page.emulateMedia({ colorScheme: name });

/** Nothing is wider than the page, at each width. `each` is called at every one, for pictures. */
export async function fits({ page }, what, each = async () => {}) {
  for (const width of WIDTHS) {
    await page.setViewportSize({ width, height: HEIGHTS[width] });
    const found = await page.evaluate(() => {
      const most = document.documentElement.clientWidth;
      const main = document.querySelector("main#main");
      const tooWide = main ? main.scrollWidth - main.clientWidth : 0;
      // What scrolls by itself may be as wide as it likes inside.
      const inScroller = (one) => {
        for (let up = one.parentElement; up && up !== main; up = up.parentElement) if (["auto", "scroll", "hidden"].includes(getComputedStyle(up).overflowX)) return true;
        return false;
      };
      const over = [...document.querySelectorAll("body *")].filter((one) => {
        const box = one.getBoundingClientRect();
        const hidden = getComputedStyle(one).visibility === "hidden" || one.closest(".visually-hidden") || one.closest("[aria-hidden=true]");
        return box.width > 0 && box.right > most + 1 && !hidden && !inScroller(one);
      });
      return { page: Math.max(tooWide, document.documentElement.scrollWidth - most), over: over.slice(0, 5).map((one) => `${one.tagName}.${one.className}: ${one.textContent.slice(0, 40)}`) };
    });
    assert.ok(found.page <= 0 && found.over.length === 0, `${what} is too wide at ${width}: ${JSON.stringify(found)}`);
    await each(width);
  }
  await page.setViewportSize({ width: 1440, height: HEIGHTS[1440] });
}

/** No serious finding of axe, in light and in dark. */
export async function accessible(cx, what) {
  for (const name of THEMES) {
    await theme(cx, name);
    await axe(cx, `${what} (${name})`);
  }
  await theme(cx, "light");
}

async function axe({ page }, what) {
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  const serious = violations.filter(({ impact }) => ["serious", "critical"].includes(impact));
  const words = serious.map(({ id, help, nodes }) => `${id}: ${help}\n${nodes.slice(0, 4).map((node) => `    ${node.html.slice(0, 160)}\n    ${node.failureSummary.replaceAll("\n", " ")}`).join("\n")}`);
  assert.deepEqual(words, [], `${what}:\n${words.join("\n")}`);
}

/** Keeps a picture, where COFFER_SCREENSHOTS names a folder. */
export async function picture({ page }, name, options = {}) {
  const folder = process.env.COFFER_SCREENSHOTS;
  if (!folder) return;
  mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`), ...options });
}

/** Pictures of a screen in both themes and at each width; checks by the way that it fits and is accessible. */
export async function examine(cx, name) {
  await accessible(cx, name);
  for (const one of THEMES) {
    await theme(cx, one);
    await fits(cx, `${name} (${one})`, (width) => picture(cx, `${name}-${one}-${width}`));
  }
  await theme(cx, "light");
}

/** Waits until a condition in this process holds. */
export async function until(condition, what, ms = SLOW_MS) {
  const end = Date.now() + ms;
  for (;;) {
    const value = await condition();
    if (value) return value;
    assert.ok(Date.now() < end, `not within ${ms} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Whether a text is anywhere in the memory of the page's scripts. */
export async function remembers({ context, page }, text) {
  const session = await context.newCDPSession(page);
  await session.send("HeapProfiler.enable");
  await session.send("HeapProfiler.collectGarbage");
  let found = false;
  let rest = "";
  session.on("HeapProfiler.addHeapSnapshotChunk", ({ chunk }) => {
    found ||= (rest + chunk).includes(text);
    rest = chunk.slice(-text.length);
  });
  await session.send("HeapProfiler.takeHeapSnapshot", { reportProgress: false });
  await session.detach();
  return found;
}

/** Asks the server beside the browser. */
export async function api(method, path, body, token = given.token, headers = {}) {
  const response = await fetch(`${given.addr}/v1/${path}`, { method, headers: { "X-Vault-Token": token, ...headers }, body: body && JSON.stringify(body) });
  const text = await response.text();
  return { status: response.status, body: text ? JSON.parse(text) : null };
}

export { assert };
