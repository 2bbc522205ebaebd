// How far the page is behind the server: from the answer of a write to its line in the page, alone and among many. A measurement,
// not a test.
import { given, signIn, story, until } from "./harness.mjs";

const ALONE = 50;
const RATE = 200;
const SECONDS = 10;
const ADDED_AT = "window.__addedAt";

await story(async (cx) => {
  const { page } = cx;
  await signIn(cx, given.token, "/events");
  await page.getByRole("status").getByText("Live", { exact: true }).waitFor();
  await page.evaluate(watch);
  const alone = new Map();
  for (let number = 0; number < ALONE; number++) await write(`lag/alone-${number}`, alone);
  const many = new Map();
  const begun = Date.now();
  const writes = [];
  for (let number = 0; number < RATE * SECONDS; number++) {
    const wait = begun + (number * 1_000) / RATE - Date.now();
    if (wait > 1) await new Promise((resolve) => setTimeout(resolve, wait));
    writes.push(write(`lag/many-${number}`, many));
  }
  await Promise.all(writes);
  const seconds = (Date.now() - begun) / 1_000;
  await write("lag/last", new Map());
  // Of a storm that comes at once only the newest lines are drawn, so the last one says that all have come.
  await until(() => page.evaluate(`${ADDED_AT}.has("secret/data/lag/last")`), "the last line");
  const added = new Map(await page.evaluate(`[...${ADDED_AT}]`));
  cx.told = { alone_ms: summary(alone, added), among_many_ms: summary(many, added), events_per_second: Math.round(many.size / seconds) };
});

/** Notes when each line came into the page. */
function watch() {
  const added = (window.__addedAt = new Map());
  new MutationObserver((changes) => {
    const now = performance.timeOrigin + performance.now();
    for (const { addedNodes } of changes) {
      for (const node of addedNodes) {
        for (const row of node.querySelectorAll?.("[data-event]") ?? []) if (row.dataset.path.startsWith("secret/data/lag/")) added.set(row.dataset.path, now);
      }
    }
  }).observe(document.querySelector("main"), { childList: true, subtree: true });
}

/** Writes a secret, and notes when that was answered. */
async function write(name, answered) {
  const response = await fetch(`${given.addr}/v1/secret/data/${name}`, { method: "POST", headers: { "X-Vault-Token": given.token }, body: '{"data":{"a":"b"}}' });
  answered.set(`secret/data/${name}`, performance.timeOrigin + performance.now());
  await response.arrayBuffer();
  if (!response.ok) throw new Error(`a write was answered ${response.status}`);
}

/** A line may be there before its writer knows: that is no lag. */
function summary(answered, added) {
  const drawn = [...answered].filter(([path]) => added.has(path));
  const sorted = drawn.map(([path, at]) => Math.max(0, added.get(path) - at)).sort((one, other) => one - other);
  const of = (part) => Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] * 10) / 10;
  return { median: of(0.5), p99: of(0.99), worst: of(1), lines: drawn.length, never_drawn: answered.size - drawn.length };
}
