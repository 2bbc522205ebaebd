// What is odd about places and secrets: keys without a name, ends of lines, folders with more than a page shows, places that are not
// there, large values, and namespaces.
import { accessible, api, assert, examine, fits, given, go, signIn, story, until } from "./harness.mjs";

const MANY = 450;
const SEARCH = "Search by name, in this folder and below";

await story(async (cx) => {
  await signIn(cx, given.token, "/secrets/secret/");
  await nothingIsLost(cx);
  await focusStays(cx);
  await folderIsFoundAgain(cx);
  await largeValues(cx);
  await notThere(cx);
  await opensByName(cx);
  await inNamespace(cx);
});

function button({ page }, name) {
  return page.getByRole("button", { name, exact: true });
}

async function focused({ page }, name, what) {
  await until(() => page.evaluate((name) => document.activeElement?.getAttribute("aria-label") === name, name), what);
}

/** Keys without a name and the ends of lines outlive the change of another key. */
async function nothingIsLost(cx) {
  const { page } = cx;
  const first = { "": "", a: "x", lines: "one\r\ntwo\r\n", mixed: "one\r\ntwo\nthree\r" };
  await api("POST", "secret/data/odd", { data: first });
  await go(cx, "/secrets/secret/odd");
  const change = async (key, type) => {
    await page.getByRole("link", { name: "New version", exact: true }).click();
    await button(cx, `Show and change the value of ${key}`).click();
    await focused(cx, `Value of ${key}`, "the value that is to be changed has the focus");
    await type(page.getByLabel(`Value of ${key}`, { exact: true }));
    const saved = page.waitForResponse((answer) => answer.request().method() === "POST" && answer.url().endsWith("/secret/data/odd"));
    await button(cx, "Save").click();
    assert.equal((await saved).status(), 200);
    return (await api("GET", "secret/data/odd")).body.data.data;
  };
  assert.deepEqual(await change("a", (field) => field.fill("y")), { ...first, a: "y" });
  const typed = async (field) => {
    await field.press("Control+End");
    await field.pressSequentially("three\nfour");
  };
  assert.deepEqual(await change("lines", typed), { ...first, a: "y", lines: "one\r\ntwo\r\nthree\r\nfour" });
  const begun = async (field) => {
    await field.press("Control+Home");
    await field.pressSequentially("0");
  };
  assert.deepEqual((await change("mixed", begun)).mixed, `0${first.mixed}`);
}

/** By keyboard alone: the focus is never lost to a button that is gone. */
async function focusStays(cx) {
  const { page } = cx;
  await go(cx, "/secrets/secret/?new");
  await button(cx, "Add a key").press("Enter");
  await focused(cx, "Key of row 2", "the added row has the focus");
  await page.keyboard.type("b");
  await button(cx, "Remove row 1").press("Enter");
  await focused(cx, "Key of row 1", "the row behind the one that was removed has the focus");
  assert.equal(await page.getByLabel("Key of row 1").inputValue(), "b");
  await button(cx, "Remove b").press("Enter");
  await until(() => button(cx, "Add a key").evaluate((one) => one === document.activeElement), "without rows there is one to be added");
}

/** A folder with more than is shown at once says so in a search, too, and is as it was left when somebody comes back. */
async function folderIsFoundAgain(cx) {
  const { page } = cx;
  const names = Array.from({ length: MANY }, (_, index) => `key-${String(index + 1).padStart(3, "0")}`);
  for (let from = 0; from < MANY; from += 50) await Promise.all(names.slice(from, from + 50).map((name) => api("POST", `secret/data/many/${name}`, { data: {} })));
  await go(cx, "/secrets/secret/many/");
  const links = page.locator(".kv-names a");
  await button(cx, "Show more").click();
  await button(cx, "Show more").click();
  await until(async () => (await links.count()) === MANY, "all are shown");
  await links.filter({ hasText: "key-450" }).click();
  await page.getByRole("heading", { name: "key-450", exact: true }).waitFor();
  await page.goBack();
  await links.filter({ hasText: "key-450" }).waitFor();

  await page.getByLabel(SEARCH).fill("KEY-");
  await page.getByText("200 found in 1 folder; there is more than a search looks at").waitFor();
  await page.getByLabel(SEARCH).fill("key-12");
  await page.getByText("10 found in 1 folder.").waitFor();
  await links.filter({ hasText: "key-123" }).click();
  await page.getByRole("heading", { name: "key-123", exact: true }).waitFor();
  await page.goBack();
  await page.getByText("10 found in 1 folder.").waitFor();
  assert.equal(await page.getByLabel(SEARCH).inputValue(), "key-12");
}

/** Large values are compared a part at a time, and a tall one has its key and its buttons at its top. */
async function largeValues(cx) {
  const { page } = cx;
  const numbers = (first) => ({ list: Array.from({ length: 2_500 }, (_, index) => index + first) });
  await api("POST", "secret/data/large", { data: numbers(0) });
  await api("POST", "secret/data/large", { data: numbers(10_000) });
  await go(cx, "/secrets/secret/large?tab=compare");
  await button(cx, "Show values").click();
  await page.getByText("2,000 of 5,008 lines").waitFor();
  assert.equal(await page.locator(".diff .line").count(), 2_000);
  await button(cx, "Show more").click();
  await page.getByText("4,000 of 5,008 lines").waitFor();
  assert.equal(await page.locator(".diff .line").count(), 4_000);

  await api("POST", "secret/data/tall", { data: { short: "x", tall: "line\n".repeat(80) } });
  await go(cx, "/secrets/secret/tall");
  const place = async (one) => (await one.boundingBox()).y;
  const key = page.locator("td .mono", { hasText: "short" });
  const hidden = await place(key);
  await button(cx, "Show all").click();
  await button(cx, "Hide tall").waitFor();
  assert.ok(Math.abs((await place(key)) - hidden) < 2, "a key moves when its value is shown");
  const top = await place(page.locator(".secret code").nth(1));
  for (const one of [page.locator("td .mono", { hasText: "tall" }), button(cx, "Hide tall"), button(cx, "Copy tall")]) assert.ok(Math.abs((await place(one)) - top) < 30, "beside the first line");
  await examine(cx, "secrets-tall");
}

/** A name that no place has. */
async function notThere(cx) {
  const { page } = cx;
  await go(cx, "/secrets/nowhere/");
  await page.getByText("There is no such place, or none of it is open to your token").waitFor();
  await accessible(cx, "a place that is not there");
  await fits(cx, "a place that is not there");
  await go(cx, "/transit/nowhere");
  await page.getByText("There is nothing at nowhere/keys").waitFor();
}

/** Where names may not be listed one is typed, however its slashes stand. */
async function opensByName(cx) {
  const { page } = cx;
  await api("POST", "secret/data/shop/db", { data: { user: "ann" } });
  await page.reload();
  await signIn(cx, given.reader, "/secrets/secret/");
  const name = page.getByLabel("Open a secret by its name");
  await name.fill("shop//db");
  await page.getByText("Each part between slashes needs a name.").waitFor();
  assert.ok(await button(cx, "Open").isDisabled());
  await name.fill("/shop/db");
  await button(cx, "Open").click();
  await button(cx, "Show user").waitFor();
  // Nor is an address with two slashes taken for a server that is away.
  await go(cx, "/secrets/secret//shop/db");
  await page.getByText("a path can not have two slashes in a row", { exact: false }).first().waitFor();
}

/** A namespace has its cubbyholes, and nothing of what is about the whole server. */
async function inNamespace(cx) {
  const { page } = cx;
  await page.reload();
  await signIn(cx, given.token, "/secrets");
  const nav = page.getByRole("navigation", { name: "Areas" });
  for (const name of ["Quotas", "Audit devices"]) await nav.getByRole("link", { name, exact: true }).waitFor();
  await page.getByRole("button", { name: "Namespace: root" }).click();
  await page.locator(".menu .item", { hasText: "team" }).click();
  await page.getByRole("button", { name: "Namespace: team/" }).waitFor();
  for (const name of ["Quotas", "Audit devices"]) await nav.getByRole("link", { name, exact: true }).waitFor({ state: "detached" });
  await page.getByRole("link", { name: "cubbyhole/", exact: true }).click();
  await page.getByText("There is nothing here yet").waitFor();
}
