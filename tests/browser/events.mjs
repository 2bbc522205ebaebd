// What happens on a server, watched: real writes, leases and logins appear, are narrowed down, paused, looked into and followed to
// what they are about; nothing is lost or twice over a seal and a restart; and who may not watch is told why.
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { api, assert, examine, given, go, picture, remembers, signIn, story, until } from "./harness.mjs";

const MARKUP = "<img src=q onerror=document.title=1>";

await story(async (cx) => {
  const { page } = cx;
  const button = (name) => page.getByRole("button", { name, exact: true });
  const rows = page.locator("[data-event]");
  const at = (path) => page.locator(`[data-event][data-path="${path}"]`);
  const live = () => page.getByRole("status").getByText("Live", { exact: true }).waitFor();
  const write = (name) => api("POST", `secret/data/${name}`, { data: { word: "never-in-an-event" } });

  // Nothing yet, then each kind of change, the newest first.
  await signIn(cx, given.token, "/events");
  await live();
  await page.getByText("Nothing has happened yet").waitFor();
  await write("shop/db");
  await at("secret/data/shop/db").waitFor();
  const { lease_id: lease } = (await api("GET", "database/creds/app-role")).body;
  await api("POST", "sys/leases/revoke", { lease_id: lease, sync: true });
  await api("PUT", "sys/policies/acl/shop-read", { policy: 'path "secret/data/shop/*" { capabilities = ["read"] }' });
  await api("POST", `secret/data/shop/${encodeURIComponent(MARKUP)}`, { data: {} });
  await page.getByText("lease/create", { exact: true }).waitFor();
  await page.getByText("lease/revoke", { exact: true }).waitFor();
  await page.getByText(`secret/data/shop/${MARKUP}`, { exact: true }).waitFor();
  assert.equal(await page.locator("main img").count(), 0);
  assert.notEqual(await page.title(), "1");
  assert.match(await rows.first().innerText(), /onerror/);
  await page.getByText(/\d ms behind/).waitFor();
  assert.ok(!(await page.locator("main").innerText()).includes("never-in-an-event"));
  await examine(cx, "events");

  // Narrowed down at once, by area and by text.
  await page.getByRole("button", { name: /^lease / }).click();
  await at("secret/data/shop/db").waitFor({ state: "detached" });
  assert.ok((await rows.count()) >= 2);
  await button("All").click();
  await page.getByLabel("Search in these events").fill("SHOP/DB");
  await until(async () => (await rows.count()) === 1, "the search finds one");
  await page.getByLabel("Search in these events").fill("there is no such thing");
  await page.getByText("None of these events has that").waitFor();
  await page.getByLabel("Search in these events").fill("");

  // What is paused stands still and is counted.
  await button("Pause").click();
  const before = await rows.count();
  for (const name of ["one", "two", "three"]) await write(`paused/${name}`);
  await page.getByText("Paused: 3 came since").waitFor();
  assert.equal(await rows.count(), before);
  await button("Resume").click();
  await at("secret/data/paused/three").waitFor();
  assert.equal(await rows.count(), before + 3);

  // Looked into, and followed to what it is about. Whoever comes back finds everything, once, and what came meanwhile.
  await at("secret/data/shop/db").click();
  const dialog = page.getByRole("dialog");
  await dialog.getByText('"event_type": "kv-v2/data-write"').waitFor();
  await dialog.getByText(/ago$/).waitFor();
  await examine(cx, "event");
  await dialog.getByRole("button", { name: "Open the secret" }).click();
  await page.getByRole("heading", { name: "db", exact: true }).waitFor();
  await write("while/away");
  await go(cx, "/events");
  await at("secret/data/while/away").waitFor();
  assert.equal(await at("secret/data/shop/db").count(), 1);
  const jump = async (path, what, place) => {
    await page.locator(`[data-event][data-path="${path}"]`).first().click();
    await dialog.getByRole("button", { name: what, exact: true }).click();
    await page.waitForFunction((wanted) => location.hash.startsWith(wanted), `#${place}`);
    await go(cx, "/events");
  };
  await jump("sys/policies/acl/shop-read", "Open the policy", "/access/policies/edit/shop-read");
  await page.getByRole("button", { name: /^database / }).click();
  await rows.first().click();
  assert.ok((await dialog.getByRole("button", { name: /^Open/ }).count()) > 0);
  await page.keyboard.press("Escape");
  await button("All").click();

  // By keyboard from line to line.
  await rows.first().focus();
  await page.keyboard.press("ArrowDown");
  assert.equal(await page.evaluate(() => document.activeElement.dataset.event), await rows.nth(1).getAttribute("data-event"));

  // What the server is asked for: a wrong expression is shown at its field, a right one holds.
  await button("Choose what is followed").click();
  const expression = page.getByLabel("Only events for which this holds");
  await expression.fill("path is");
  await button("Follow").click();
  await page.getByText(/^Filter, column/).waitFor();
  assert.equal(await expression.getAttribute("aria-invalid"), "true");
  await examine(cx, "events-wrong");
  await expression.fill('path == "secret/data/wanted"');
  await page.getByLabel("Kinds", { exact: true }).fill("kv-v2/*");
  await button("Follow").click();
  await live();
  await write("unwanted");
  await write("wanted");
  await at("secret/data/wanted").waitFor();
  assert.equal(await rows.count(), 1);

  // What happened before, and below: an event of another namespace leads there.
  await api("POST", "sys/namespaces/team");
  await api("POST", "sys/mounts/kv", { type: "kv" }, given.token, { "X-Vault-Namespace": "team" });
  await api("POST", "kv/theirs", { word: "x" }, given.token, { "X-Vault-Namespace": "team" });
  await button("Everything again").click();
  await page.getByLabel("Where", { exact: true }).selectOption("below");
  await page.getByLabel("Begin", { exact: true }).selectOption("oldest");
  await button("Follow").click();
  await at("secret/data/shop/db").waitFor();
  await at("kv/theirs").click();
  await dialog.getByRole("button", { name: "Open the secret in team/" }).click();
  await page.getByRole("button", { name: "Namespace: team/" }).waitFor();
  await page.getByRole("heading", { name: "theirs" }).waitFor();
  await page.getByRole("button", { name: "Namespace: team/" }).click();
  await page.getByRole("button", { name: "root", exact: true }).click();

  // A place that is no longer kept is said in words, and the way on is open.
  await go(cx, "/events");
  await live();
  await page.route("**/sys/events/subscribe/**", (route) => route.fulfill({ status: 410, json: { errors: ["the events that follow were dropped from the log"] } }), { times: 1 });
  await go(cx, "/secrets");
  await page.getByRole("heading", { name: "Secrets" }).waitFor();
  await go(cx, "/events");
  await page.getByText("The place where this page was is no longer kept").waitFor();
  await examine(cx, "events-lost");
  await button("Go on from now").click();
  await live();
  await page.getByText("is no longer kept by the server").waitFor();

  // More than is kept: bounded, and said.
  const many = Array.from({ length: 2_300 }, (_, index) => told(`many/${index}`, index)).join("");
  await page.route("**/sys/events/subscribe/**", (route) => route.fulfill({ status: 200, contentType: "text/event-stream", body: many }), { times: 1 });
  await button("Choose what is followed").click();
  await page.getByLabel("Kinds", { exact: true }).fill("kv*");
  await button("Follow").click();
  await page.getByText("300 older ones are no longer kept here").waitFor();
  await page.getByText("The newest 100 of 2,000.").waitFor();
  await button("Show more").click();
  await until(async () => (await rows.count()) === 300, "300 are drawn");
  // Their ids are of no log of this server, which says so when the page comes back.
  await page.getByText("The place where this page was is no longer kept").waitFor();
  await picture(cx, "events-many");

  await overASealAndARestart(cx, { live, write });

  // The log of the server.
  await go(cx, "/events/log");
  await live();
  // The badge is that of the last stream until the page has asked for the next one.
  const debugging = page.waitForResponse((answer) => /\/v1\/sys\/monitor\?.*log_level=debug/.test(answer.url()));
  await page.getByLabel("Level").selectOption("debug");
  await debugging;
  await live();
  await write("logged/one");
  await page.getByText(/logged\/one/).first().waitFor();
  await page.getByLabel("Search in these lines").fill("logged/one");
  await until(async () => (await page.locator("[data-level]").count()) > 0, "the line is found");
  await examine(cx, "log");
  await page.locator("[data-level]").first().click();
  await dialog.getByText(/"@level": "debug"/).waitFor();
  await page.keyboard.press("Escape");

  // Audit: first without a device, then as it records; values are hashed there.
  await go(cx, "/events/audit");
  await page.getByText("No audit device is enabled").waitFor();
  await api("PUT", "sys/audit/file", { type: "file", options: { file_path: given.audit } });
  await api("PUT", "sys/audit/raw", { type: "file", options: { file_path: `${given.audit}.raw`, log_raw: "true" } });
  await go(cx, "/events");
  await live();
  await go(cx, "/events/audit");
  await live();
  await write("audited/one");
  await api("GET", "secret/data/audited/one", undefined, given.stranger);
  await api("POST", `secret/data/audited/${encodeURIComponent(MARKUP)}`, { data: {} });
  await page.getByText("secret/data/audited/one", { exact: true }).first().waitFor();
  await page.getByText(`secret/data/audited/${MARKUP}`, { exact: true }).waitFor();
  assert.equal(await page.locator("main img").count(), 0);
  assert.equal(await page.getByLabel("Device", { exact: true }).count(), 0, "bare secrets are not offered");
  await examine(cx, "audit-tail");
  await page.getByLabel("Refused or failed only").check();
  await until(async () => (await page.locator("[data-audit]").count()) === 1, "one was refused");
  await page.locator("[data-audit]").click();
  await dialog.getByText("permission denied").first().waitFor();
  await examine(cx, "audit-line");
  await page.keyboard.press("Escape");
  await page.getByLabel("Refused or failed only").uncheck();
  await page.getByLabel("Requests or answers").selectOption("all");
  await page.getByText("asked:").first().waitFor();
  assert.ok(!(await page.locator("main").innerText()).includes("never-in-an-event"));

  // Signing out forgets.
  await page.getByRole("button", { name: /^Session of/ }).click();
  await button("Sign out").click();
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  assert.ok(!(await remembers(cx, "secret/data/while/away")));

  // Few rights: what may be seen is, and the rest is said.
  await signIn(cx, given.watcher, "/events");
  await live();
  await write("shop/seen");
  await write("other/unseen");
  await write("shop/seen-too");
  await page.locator('[data-path="secret/data/shop/seen-too"]').waitFor();
  assert.equal(await rows.count(), 2);
  await go(cx, "/events/log");
  await page.getByText("Your token may not see the server's log").waitFor();
  await go(cx, "/events/audit");
  await page.getByText("Your token may not see the audit devices").waitFor();
  await page.getByText('path "sys/audit" { capabilities = ["read", "sudo"] }').waitFor();
  await page.reload();
  await signIn(cx, given.stranger, "/events");
  await page.getByText("Your token may not follow these events").waitFor();
  await page.getByText('path "sys/events/subscribe/*" { capabilities = ["read"] }').waitFor();
  await examine(cx, "events-refused");
});

/** The page stays open while the server is sealed, restarted and killed. */
async function overASealAndARestart(cx, { live, write }) {
  const { page } = cx;
  const paths = () => page.locator('[data-path^="secret/data/over/"]').evaluateAll((all) => all.map((one) => one.dataset.path));
  const once = async (names) => {
    await until(async () => (await paths()).length >= names.length, `all of ${names}`);
    assert.deepEqual((await paths()).sort(), names.map((name) => `secret/data/over/${name}`).sort());
  };
  await go(cx, "/events");
  await live();
  await write("over/before");
  await api("PUT", "sys/seal");
  await page.getByRole("heading", { name: "The server is sealed" }).waitFor();
  for (const key of given.keys) await api("PUT", "sys/unseal", { key }, "");
  await until(async () => (await write("over/unsealed")).status === 200, "the server is open again");
  await once(["before", "unsealed"]);
  // An orderly restart; what the server writes first is there before the page is.
  await asked("restart");
  await once(["before", "unsealed", "restart"]);
  await live();
  await write("over/after");
  await once(["before", "unsealed", "restart", "after"]);
  // One that was killed says itself that something may be missing.
  await asked("kill");
  await page.getByText("The server was not stopped in order").waitFor();
  await write("over/last");
  await page.locator('[data-path="secret/data/over/last"]').waitFor();
  const all = await paths();
  assert.equal(new Set(all).size, all.length, "an event is there twice");
}

/** Has the test beside do something to the server, and waits until it has. */
async function asked(what) {
  writeFileSync(join(given.orders, what), "");
  await until(() => existsSync(join(given.orders, `${what}.done`)), `the server after ${what}`);
}

/** An event as the server frames it. */
function told(name, number) {
  const id = `00000000-0000-8000-8000-${String(number).padStart(12, "0")}`;
  const event = { id, source: "coffer://test", specversion: "1.0", type: "*", time: new Date().toISOString(), data: { event: { id, metadata: { path: `secret/data/${name}`, operation: "data-write" } }, event_type: "kv-v2/data-write", namespace: "" } };
  return `id: ${id}\nevent: kv-v2/data-write\ndata: ${JSON.stringify(event)}\n\n`;
}
