// A server that nobody has used: initialised and unsealed in the browser, and its overview.
import { readFileSync } from "node:fs";
import { api, assert, examine, given, go, open, picture, story, until } from "./harness.mjs";

await story(async (cx) => {
  const { page } = cx;
  await open(cx);
  await page.getByRole("heading", { name: "A new server" }).waitFor();
  await examine(cx, "initialise");
  await page.getByLabel("How many are needed").fill("9");
  await page.getByText("No more can be needed than there are").waitFor();
  assert.ok(await page.getByRole("button", { name: "Initialise" }).isDisabled());
  await page.getByLabel("Key shares").fill("4");
  await page.getByLabel("How many are needed").fill("3");
  await page.getByRole("button", { name: "Initialise" }).click();

  await page.getByRole("heading", { name: "Keep these keys" }).waitFor();
  await examine(cx, "new-keys");
  const coming = page.waitForEvent("download");
  await page.getByRole("button", { name: "Download all as a file" }).click();
  const file = await (await coming).path();
  const keys = JSON.parse(readFileSync(file, "utf8"));
  assert.equal(keys.unseal_keys_b64.length, 4);
  assert.equal(keys.unseal_threshold, 3);
  // Hidden until somebody asks, and no way on before they are kept.
  assert.ok(!(await page.content()).includes(keys.root_token));
  assert.ok(await page.getByRole("button", { name: "Go on to unseal" }).isDisabled());
  await page.getByRole("button", { name: "Show Unseal key 2" }).click();
  await page.getByText(keys.unseal_keys_b64[1]).waitFor();
  await page.getByLabel("I have kept the keys").check();
  await page.getByRole("button", { name: "Go on to unseal" }).click();

  await page.getByRole("heading", { name: "The server is sealed" }).waitFor();
  assert.ok(!(await page.content()).includes(keys.unseal_keys_b64[1]), "keys are gone with their screen");
  await give(page, keys.unseal_keys_b64[0]);
  await page.getByText("1 of 3 given").waitFor();
  await examine(cx, "unseal");
  // A share from another machine counts here as well, and starting over forgets all.
  await api("POST", "sys/unseal", { key: keys.unseal_keys_b64[1] }, "");
  await page.getByText("2 of 3 given").waitFor();
  await page.getByRole("button", { name: "Start over" }).click();
  await page.getByText("0 of 3 given").waitFor();
  await give(page, "bm90IGEgc2hhcmU=");
  await page.getByRole("alert").waitFor();
  for (const key of keys.unseal_keys_b64.slice(1)) {
    await page.getByRole("heading", { name: "The server is sealed" }).waitFor();
    await give(page, key);
  }
  await page.getByRole("heading", { name: "Sign in" }).waitFor();

  await page.getByLabel("Token", { exact: true }).fill(keys.root_token);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await page.getByRole("heading", { name: "Overview" }).waitFor();
  await page.getByText("opened by 3 of 4 key shares; a single node").waitFor();
  await page.getByText("No audit device is enabled").waitFor();
  await page.getByText("You work with a root token").waitFor();

  // Numbers move by themselves.
  const tokens = page.getByRole("region", { name: "Tokens", exact: true }).locator(".value");
  await until(async () => (await tokens.textContent()) === "1", "one token is counted");
  await api("POST", "auth/token/create", { ttl: "1h" }, keys.root_token);
  await until(async () => (await tokens.textContent()) === "2", "the second one as well");
  await api("POST", "identity/entity", { name: "ann" }, keys.root_token);
  await page.getByRole("region", { name: "Tokens", exact: true }).getByText("1 entity", { exact: true }).waitFor();
  const audit = await api("PUT", "sys/audit/file", { type: "file", options: { file_path: given.audit } }, keys.root_token);
  assert.equal(audit.status, 204);
  await page.getByText("No audit device is enabled").waitFor({ state: "detached", timeout: 30_000 });

  // Names are text, whatever is in them.
  await api("POST", "sys/mounts/html", { type: "kv", description: '<img src=x onerror="document.title=1"><b>bold</b>' }, keys.root_token);
  await go(cx, "/nowhere");
  await page.getByText("There is no such screen").waitFor();
  await go(cx, "/");
  await page.getByText('<img src=x onerror="document.title=1"><b>bold</b>').waitFor();
  assert.equal(await page.locator("main img, main b").count(), 0);
  await until(async () => /[1-9]/.test((await page.getByRole("region", { name: "Audit records" }).locator(".value").textContent()) ?? ""), "audit records are counted");
  await examine(cx, "overview");
  await picture(cx, "overview-whole", { fullPage: true });

  // Sealing the server leads to the door within seconds.
  await api("PUT", "sys/seal", {}, keys.root_token);
  await page.getByRole("heading", { name: "The server is sealed" }).waitFor({ timeout: 20_000 });
});

async function give(page, key) {
  await page.getByLabel("Key share", { exact: true }).fill(key);
  await page.getByRole("button", { name: "Give this share" }).click();
  // The field is emptied, or gone with the last share; a refused share stays in it.
  const left = () => page.evaluate(() => document.querySelector("form[aria-label=Unseal] input")?.value ?? "");
  await until(async () => (await left()) === "" || (await page.getByRole("alert").count()) > 0, "the share was taken or refused");
}
