// Keeping a server: mounts, audit, quotas, keys, namespaces, snapshots; sealing it, and unsealing it again.
import { readFileSync } from "node:fs";
import { api, assert, examine, given, go, picture, signIn, story, until } from "./harness.mjs";

const HOSTILE = "<img src=x onerror=document.title=1>";

await story(async (cx) => {
  const { page } = cx;
  await signIn(cx, given.token, "/operations/engines");
  await engines(cx);
  await audit(cx);
  await quotas(cx);
  await namespaces(cx);
  const shares = await keys(cx);
  await server(cx);
  await snapshot(cx);
  await sealing(cx, shares);
  assert.notEqual(await page.title(), "1");
});

async function engines(cx) {
  const { page } = cx;
  const dialog = page.getByRole("dialog");
  await page.getByRole("link", { name: "cubbyhole/" }).waitFor();
  await page.getByRole("button", { name: "Enable" }).click();
  await dialog.getByLabel("Type").selectOption("kv");
  await dialog.getByLabel("Path", { exact: true }).fill("sys");
  await dialog.getByRole("button", { name: "Enable", exact: true }).click();
  await dialog.getByRole("alert").waitFor();
  await dialog.getByLabel("Path", { exact: true }).fill("shop");
  await dialog.getByLabel("Description").fill(HOSTILE);
  await dialog.getByRole("button", { name: "Enable", exact: true }).click();
  await page.getByText(HOSTILE).first().waitFor();
  assert.equal(await page.locator("main img").count(), 0);
  await examine(cx, "engines");
  await page.getByRole("link", { name: "shop/" }).click();
  await page.getByLabel("Leases at most").fill("nonsense");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByRole("alert").waitFor();
  await page.getByLabel("Leases at most").fill("2h");
  await page.getByLabel("Leases by default").fill("1h");
  await page.getByRole("button", { name: "Save" }).click();
  await until(async () => (await api("GET", "sys/mounts/shop/tune")).body.data.max_lease_ttl === 7200, "it is tuned");
  await examine(cx, "engine");
  await page.getByRole("button", { name: "Move" }).click();
  await dialog.getByLabel("New path").fill("store");
  await dialog.getByRole("button", { name: "Move", exact: true }).click();
  await page.getByRole("heading", { name: "store/" }).waitFor();
  assert.equal((await api("GET", "sys/mounts/store")).status, 200);
  await page.getByRole("button", { name: "Disable" }).click();
  const disable = dialog.getByRole("button", { name: "Disable" });
  assert.ok(await disable.isDisabled());
  await dialog.getByLabel("Type store to go on").fill("store");
  await examine(cx, "engine-disable");
  await disable.click();
  await page.getByRole("heading", { name: "Secrets engines" }).waitFor();
  await page.getByRole("link", { name: "cubbyhole/" }).waitFor();
  assert.equal(await page.getByRole("link", { name: "store/" }).count(), 0);
}

async function audit(cx) {
  const { page } = cx;
  const dialog = page.getByRole("dialog");
  await go(cx, "/operations/audit");
  await page.getByText("No audit device is enabled").waitFor();
  await page.getByRole("button", { name: "Enable" }).click();
  await dialog.getByLabel("File").fill("/no/such/folder/audit.log");
  await dialog.getByRole("button", { name: "Enable", exact: true }).click();
  await dialog.getByText("does not exist", { exact: false }).waitFor();
  await dialog.getByLabel("File").fill(given.audit);
  await examine(cx, "audit-enable");
  await dialog.getByRole("button", { name: "Enable", exact: true }).click();
  await page.getByText("records", { exact: true }).waitFor();
  assert.match(readFileSync(given.audit, "utf8"), /sys\/audit/);
  await examine(cx, "audit");
  await page.getByRole("button", { name: "Disable file" }).click();
  await dialog.getByLabel("Type file to go on").fill("file");
  await dialog.getByRole("button", { name: "Disable" }).click();
  await page.getByText("No audit device is enabled").waitFor();
}

/** Rates need not be whole numbers. */
async function rareRequests({ page }) {
  const dialog = page.getByRole("dialog");
  await page.getByRole("button", { name: "New quota" }).click();
  await dialog.getByLabel("Name").fill("rare");
  await dialog.getByLabel("Path").fill("cubbyhole");
  await dialog.getByLabel("Requests").fill("0.5");
  await dialog.getByRole("button", { name: "Save" }).click();
  await page.getByText("0.5 requests in 1s").waitFor();
  await api("DELETE", "sys/quotas/rate-limit/rare");
}

async function quotas(cx) {
  const { page } = cx;
  const dialog = page.getByRole("dialog");
  await go(cx, "/operations/quotas");
  await page.getByText("No quotas").waitFor();
  await page.getByRole("button", { name: "New quota" }).click();
  await dialog.getByText("It holds for everybody", { exact: false }).waitFor();
  await dialog.getByLabel("Of").selectOption("lease-count");
  await dialog.getByLabel("Name").fill("few-leases");
  await dialog.getByLabel("At most").fill("40");
  await dialog.getByRole("button", { name: "Save" }).click();
  await page.locator("td", { hasText: "few-leases" }).waitFor();
  await page.getByText(/of 40/).waitFor();
  await page.getByRole("button", { name: "Change few-leases" }).click();
  await dialog.getByLabel("At most").fill("50");
  await examine(cx, "quota");
  await dialog.getByRole("button", { name: "Save" }).click();
  await page.getByText(/of 50/).waitFor();
  await page.getByRole("button", { name: "New quota" }).click();
  await dialog.getByLabel("Name").fill("slow");
  await dialog.getByLabel("Path").fill("cubbyhole");
  await dialog.getByLabel("Requests").fill("5");
  await dialog.getByRole("button", { name: "Save" }).click();
  await page.getByText("5 requests in 1s").waitFor();
  await examine(cx, "quotas");
  await page.getByRole("button", { name: "Delete slow" }).click();
  await dialog.getByRole("button", { name: "Delete" }).click();
  await page.getByText("5 requests in 1s").waitFor({ state: "detached" });
  await rareRequests(cx);
  assert.equal((await api("GET", "sys/quotas/rate-limit/slow")).status, 404);
}

async function namespaces(cx) {
  const { page } = cx;
  const dialog = page.getByRole("dialog");
  await go(cx, "/operations/namespaces");
  await page.getByText("No namespaces here").waitFor();
  await page.getByRole("button", { name: "New namespace" }).click();
  await dialog.getByLabel("Name").fill("team");
  await dialog.getByRole("button", { name: "Create" }).click();
  await page.getByRole("button", { name: "Lock team" }).click();
  await dialog.getByRole("button", { name: "Lock", exact: true }).click();
  await page.getByRole("heading", { name: "team/ is locked" }).waitFor();
  await dialog.getByRole("button", { name: "Show the unlock key" }).click();
  const key = await dialog.locator(".secret code").textContent();
  await dialog.getByRole("button", { name: "I have it" }).click();
  await page.getByText("locked", { exact: true }).waitFor();
  await examine(cx, "namespaces");
  await page.getByRole("button", { name: "Unlock team" }).click();
  await dialog.getByLabel("Unlock key", { exact: true }).fill(key);
  await dialog.getByRole("button", { name: "Unlock", exact: true }).click();
  await page.getByText("open", { exact: true }).waitFor();
  await page.getByRole("button", { name: "Delete team" }).click();
  await dialog.getByLabel("Type team to go on").fill("team");
  await dialog.getByRole("button", { name: "Delete" }).click();
  await until(async () => (await api("GET", "sys/namespaces?list=true")).status === 404, "the namespace is gone");
}

/** Rotation, and new unseal keys that are given back before they hold. Returns them. */
async function keys(cx) {
  const { page } = cx;
  const dialog = page.getByRole("dialog");
  await go(cx, "/operations/keys");
  await page.getByText("In use since").waitFor();
  await examine(cx, "keys");
  await page.getByRole("button", { name: "Rotate", exact: true }).click();
  await dialog.getByRole("button", { name: "Rotate" }).click();
  await until(async () => (await api("GET", "sys/key-status")).body.data.term === 2, "a new key is in use");
  const form = page.getByRole("form", { name: "New shares" });
  await form.getByLabel("New shares").fill("3");
  await form.getByLabel("How many are needed").fill("2");
  await form.getByRole("button", { name: "Begin" }).click();
  const present = page.getByRole("form", { name: "Present unseal key" });
  await present.getByRole("textbox").fill("bm90IGEgc2hhcmU=");
  await present.getByRole("button", { name: "Give this share" }).click();
  await present.getByRole("alert").waitFor();
  await examine(cx, "rekey");
  for (const share of given.keys) {
    await present.getByRole("textbox").fill(share);
    await present.getByRole("button", { name: "Give this share" }).click();
    await taken(present);
  }
  await page.getByRole("heading", { name: "The new unseal keys" }).waitFor();
  const shares = [];
  for (const number of [1, 2, 3]) {
    await dialog.getByRole("button", { name: `Show Unseal key ${number}` }).click();
    shares.push(await dialog.locator(".secret code").nth(number - 1).textContent());
  }
  await dialog.getByLabel("I have kept them").check();
  await picture(cx, "rekey-made");
  await dialog.getByRole("button", { name: "Done" }).click();
  const verify = page.getByRole("form", { name: "New key" });
  for (const share of shares.slice(1)) {
    await verify.getByRole("textbox").fill(share);
    await verify.getByRole("button", { name: "Give this share" }).click();
    await taken(verify);
  }
  await page.getByText("2 of 3 unseal keys are needed now", { exact: false }).waitFor();

  // A root token made out of shares, decoded in the browser.
  await page.locator("section", { has: page.getByRole("heading", { name: "A new root token" }) }).getByRole("button", { name: "Begin" }).click();
  const root = page.getByRole("form", { name: "Key share" });
  for (const share of shares.slice(0, 2)) {
    await root.getByRole("textbox").fill(share);
    await root.getByRole("button", { name: "Give this share" }).click();
    await taken(root);
  }
  await dialog.getByRole("button", { name: "Show the root token" }).click();
  const token = await dialog.locator(".secret code").textContent();
  assert.deepEqual((await api("GET", "auth/token/lookup-self", undefined, token)).body.data.policies, ["root"]);
  await dialog.getByRole("button", { name: "I have it" }).click();
  return shares;
}

async function server(cx) {
  const { page } = cx;
  await go(cx, "/operations/server");
  await page.getByText("Being answered now").waitFor();
  await page.getByLabel("Level of audit").selectOption("debug");
  await until(async () => (await api("GET", "sys/loggers")).body.data.audit === "debug", "the logger says more");
  await page.getByRole("button", { name: "As configured" }).click();
  await until(async () => (await api("GET", "sys/loggers")).body.data.audit !== "debug", "the logger is as configured");
  await examine(cx, "server");
}

async function snapshot(cx) {
  const { page } = cx;
  await go(cx, "/operations/snapshots");
  await examine(cx, "snapshots");
  await api("POST", "sys/mounts/before", { type: "kv" });
  const coming = page.waitForEvent("download");
  await page.getByRole("button", { name: "Download a snapshot" }).click();
  const file = await (await coming).path();
  assert.deepEqual([...readFileSync(file).subarray(0, 2)], [0x1f, 0x8b]);
  await api("POST", "sys/mounts/after", { type: "kv" });
  await page.getByLabel("Snapshot file").setInputFiles({ name: "broken.snap", mimeType: "application/gzip", buffer: Buffer.from("no snapshot") });
  await restore(page);
  await page.getByRole("dialog").getByRole("alert").waitFor();
  await picture(cx, "snapshot-refused");
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.getByLabel("Snapshot file").setInputFiles(file);
  await restore(page);
  await page.getByRole("dialog").waitFor({ state: "detached" });
  assert.equal((await api("GET", "sys/mounts/before")).status, 200);
  assert.equal((await api("GET", "sys/mounts/after")).status, 400);
}

async function restore(page) {
  await page.getByRole("button", { name: "Restore", exact: true }).click();
  await page.getByLabel("Type restore to go on").fill("restore");
  await page.getByRole("dialog").getByRole("button", { name: "Restore" }).click();
}

async function sealing(cx, shares) {
  const { page } = cx;
  await go(cx, "/operations/seal");
  await page.getByText("answers", { exact: true }).waitFor();
  await examine(cx, "seal");
  await page.getByRole("button", { name: "Seal the server" }).click();
  const dialog = page.getByRole("dialog");
  assert.ok(await dialog.getByRole("button", { name: "Seal", exact: true }).isDisabled());
  await dialog.getByLabel("Type seal to go on").fill("seal");
  await dialog.getByRole("button", { name: "Seal", exact: true }).click();
  await page.getByRole("heading", { name: "The server is sealed" }).waitFor();
  for (const [index, share] of shares.slice(0, 2).entries()) {
    await page.getByLabel("Key share", { exact: true }).fill(share);
    await page.getByRole("button", { name: "Give this share" }).click();
    if (index === 0) await page.getByText("1 of 2 given").waitFor();
  }
  // The token outlives the seal, and so does the session.
  await page.getByRole("heading", { name: "Seal", exact: true }).waitFor();
  await page.getByText("unsealed", { exact: true }).waitFor();
}

/** A share that was taken leaves its field empty, or takes the form with it. */
function taken(form) {
  return until(() => form.locator("input").evaluateAll((all) => all.every((one) => one.value === "")), "the share was taken");
}
