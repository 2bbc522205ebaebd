// Every engine by the forms that the server's own description makes: a database from its connection to a user and the end of it,
// keys and ciphertexts, AppRole, any path at all; an engine of tomorrow; somebody with few rights; names with anything in them.
import { api, assert, examine, given, go, picture, remembers, signIn, story, until } from "./harness.mjs";
import { mountTomorrow, PNG } from "./engine_of_tomorrow.mjs";

const HOSTILE = '<img src=x onerror="document.title=1">';
const ODD = "te am/ü<b>{x}%?#";

const at = (mount, template, values = {}) => `/engines/${encodeURIComponent(mount)}/at/${encodeURIComponent(template)}${Object.keys(values).length ? `?${new URLSearchParams(values)}` : ""}`;
const choose = async (page, label, value) => page.getByLabel(label, { exact: true }).selectOption(value);
const type = async (page, label, value) => page.getByLabel(label, { exact: true }).fill(value);
const press = async (page, name) => page.getByRole("button", { name, exact: true }).click();
const answer = (page) => page.locator(".answer-place");
const fact = (page, name) => answer(page).locator(".fact").filter({ has: page.locator("dt", { hasText: new RegExp(`^${name}$`) }) });

const commands = async (page) => {
  const line = page.locator("main details.command").last();
  if (await line.evaluate((details) => !details.open)) await line.locator("summary").click();
  return (await line.locator(".code").allTextContents()).join("\n");
};

await story(async (cx) => {
  const { page } = cx;
  await signIn(cx, given.token, "/engines");
  await page.getByRole("link", { name: "database/", exact: true }).waitFor();
  await examine(cx, "engines");
  await database(cx);
  await transit(cx);
  await approle(cx);
  await odd(cx);
  await exactly(cx);
  await explorer(cx);
  await tomorrow(cx);
  await limited(cx);
  await forgotten(cx);
});

/** From nothing to a user of PostgreSQL, and back. */
async function database(cx) {
  const { page } = cx;
  await page.getByRole("link", { name: "database/", exact: true }).click();
  await page.getByRole("heading", { name: "database/", exact: true }).waitFor();
  await page.getByText("Makes database users that end by themselves", { exact: false }).waitFor();
  await page.getByRole("link", { name: "static-roles", exact: true }).waitFor();
  await page.getByRole("cell", { name: "0" }).first().waitFor();
  await examine(cx, "engine");

  await page.getByRole("link", { name: "config", exact: true }).click();
  await page.getByText("None yet").waitFor();
  await type(page, "Name, in config", "pg");
  await press(page, "Open or make");
  await page.getByText("There is none yet: saving makes it.", { exact: false }).waitFor();
  await type(page, "plugin_name", "postgresql-database-plugin");
  await type(page, "connection_url", given.postgres.url);
  await type(page, "username", given.postgres.user);
  await type(page, "password", given.postgres.password);
  assert.equal(await page.getByLabel("password", { exact: true }).getAttribute("type"), "password");
  await type(page, "allowed_roles", "shop");
  await page.keyboard.press("Enter");
  await page.keyboard.type("other");
  await examine(cx, "engine-thing-new");
  // The command beside it has no password in it.
  await page.getByText("Command line").click();
  assert.ok(!(await page.locator(".command .code").allTextContents()).join().includes(given.postgres.password));
  await press(page, "Create");
  await page.getByRole("button", { name: "Delete" }).waitFor();
  const kept = (await api("GET", "database/config/pg")).body.data;
  assert.deepEqual(kept.allowed_roles, ["shop", "other"]);
  // What the answer has in a group of its own stands in the inputs, too; the password does not come back.
  assert.equal(await page.getByLabel("username", { exact: true }).inputValue(), given.postgres.user);
  assert.equal(await page.getByLabel("password", { exact: true }).inputValue(), "");
  assert.ok(!(await page.content()).includes(given.postgres.password));
  await examine(cx, "engine-thing");
  // What else can be done with a connection has its name in it already.
  await page.getByRole("link", { name: "rotate-root/pg", exact: true }).waitFor();

  await go(cx, at("database", "roles/{name}", { name: "shop" }));
  await type(page, "db_name", "pg");
  await type(page, "creation_statements", given.postgres.create[0]);
  await press(page, "Another: creation_statements");
  await type(page, "creation_statements, 2", given.postgres.create[1]);
  await type(page, "default_ttl", "a while");
  await press(page, "Create");
  // The refusal stands at the field that it is about.
  await page.locator(".field", { has: page.getByLabel("default_ttl", { exact: true }) }).getByText("is not a duration", { exact: false }).waitFor();
  assert.equal(await page.getByLabel("default_ttl", { exact: true }).getAttribute("aria-invalid"), "true");
  await picture(cx, "engine-field-wrong");
  await type(page, "default_ttl", "90s");
  await press(page, "Create");
  await page.getByRole("button", { name: "Save" }).waitFor();
  const role = (await api("GET", "database/roles/shop")).body.data;
  assert.deepEqual(role.creation_statements, given.postgres.create);
  assert.equal(role.default_ttl, 90);
  assert.equal(await page.getByLabel("default_ttl", { exact: true }).inputValue(), "90s");
  // Where nothing was changed there is nothing to write.
  assert.match(await commands(page), /coffer read database\/roles\/shop/);
  await type(page, "default_ttl", "80s");
  await page.locator(".command .code", { hasText: "coffer write database/roles/shop default_ttl=80s" }).waitFor();
  await type(page, "default_ttl", "90s");

  await page.getByRole("link", { name: "creds/shop", exact: true }).click();
  assert.equal(await page.getByLabel("name", { exact: true }).inputValue(), "shop");
  await press(page, "Read");
  await answer(page).getByRole("group", { name: "The lease" }).waitFor();
  await answer(page).getByRole("img", { name: /left$/ }).waitFor();
  assert.equal(await fact(page, "password").locator("code", { hasText: /.{8}/ }).count(), 1, "only its name is in code");
  const lease = await answer(page).getByRole("group", { name: "The lease" }).locator("code").textContent();
  const user = await fact(page, "username").locator(".mono").textContent();
  await examine(cx, "engine-answer");
  await press(page, "Show password");
  const password = await fact(page, "password").locator(".secret code").textContent();
  const verified = await api("POST", "database/verify-login/pg", { username: user, password });
  assert.equal(verified.body.data.accepted, true, JSON.stringify(verified.body));
  cx.password = password;

  // Actions that can not be taken back ask first.
  await go(cx, "/explorer/sys%2Fleases%2Frevoke");
  await type(page, "lease_id", lease);
  await press(page, "Run");
  const dialog = page.getByRole("dialog");
  await dialog.getByText("sys/leases/revoke?").waitFor();
  await dialog.getByRole("button", { name: "Run", exact: true }).click();
  await answer(page).getByText("Done. The answer has no contents.").waitFor();
  await until(async () => (await api("POST", "database/verify-login/pg", { username: user, password })).body.data.accepted === false, "the user is gone");

  await go(cx, at("database", "roles/{name}", { name: "shop" }));
  await press(page, "Delete");
  await dialog.getByRole("button", { name: "Delete", exact: true }).click();
  await page.getByText("None yet").waitFor();
  assert.equal((await api("GET", "database/roles/shop")).status, 404);
}

/** Keys by name, bytes, hidden plaintexts, wrapped answers. */
async function transit(cx) {
  const { page } = cx;
  await api("POST", "transit/keys/orders", { exportable: true });
  await go(cx, "/engines/transit");
  await type(page, "Find, in transit/", "encrypts a plaintext");
  await page.getByRole("link", { name: "encrypt/{name}" }).click();
  await page.getByRole("heading", { name: "encrypt/{name}" }).waitFor();
  // Needed is said at the fields, by the keyboard alone.
  await page.getByLabel("name", { exact: true }).focus();
  await page.keyboard.press("Enter");
  await page.getByText("This is needed.").first().waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.getAttribute("aria-invalid")), "true");
  assert.deepEqual(await until(async () => {
    const names = await page.locator("datalist option").evaluateAll((all) => all.map((one) => one.value));
    return names.length > 0 && names;
  }, "the keys can be chosen"), ["orders"]);
  await page.keyboard.type("orders");
  await type(page, "plaintext", Buffer.from("a pound of coffee").toString("base64"));
  await page.keyboard.press("Enter");
  const ciphertext = await fact(page, "ciphertext").locator(".mono").textContent();
  assert.match(ciphertext, /^vault:v1:/);
  assert.ok(!(await page.content()).includes("a pound of coffee"));
  await go(cx, at("transit", "decrypt/{name}", { name: "orders" }));
  await page.getByRole("heading", { name: "decrypt/{name}" }).waitFor();
  await type(page, "ciphertext", ciphertext);
  await press(page, "Run");
  await fact(page, "plaintext").getByRole("img", { name: "plaintext, hidden" }).waitFor();
  // Wrapped: the answer is a token that opens it.
  await type(page, "Wrap the answer for", "5m");
  await press(page, "Run");
  const wrapped = answer(page).getByRole("region", { name: "The wrapped answer" });
  await wrapped.getByRole("button", { name: "Show the wrapping token" }).click();
  const token = await wrapped.locator(".secret code").textContent();
  const opened = await api("POST", "sys/wrapping/unwrap", {}, token);
  assert.equal(Buffer.from(opened.body.data.plaintext, "base64").toString(), "a pound of coffee");
  const exported = (await api("GET", "transit/export/encryption-key/orders")).body.data.keys["1"];
  await go(cx, at("transit", "export/{type}/{name}", { type: "encryption-key", name: "orders" }));
  await page.getByRole("heading", { name: "export/{type}/{name}" }).waitFor();
  await press(page, "Read");
  await answer(page).getByRole("img", { name: "1, hidden" }).waitFor();
  assert.ok(!(await page.content()).includes(exported));
  await go(cx, at("transit", "decrypt/{name}", { name: "orders" }));
  await page.getByRole("heading", { name: "decrypt/{name}" }).waitFor();
  // A wrong text stays at its field, or in a note.
  await type(page, "ciphertext", "vault:v1:nonsense");
  await press(page, "Run");
  await page.getByRole("alert").waitFor();
  // What is kept as bytes can be written as a text.
  const key = (await api("POST", "kms/keys", { description: "a key" })).body.data.key_metadata?.key_id ?? (await api("GET", "kms/keys?list=true")).body.data.keys[0];
  await go(cx, at("kms", "encrypt/{key}", { key }));
  await page.getByRole("heading", { name: "encrypt/{key}" }).waitFor();
  const secretText = page.getByLabel("plaintext", { exact: true });
  await secretText.fill("grüße");
  await press(page, "Turn this text into base64");
  assert.equal(await secretText.inputValue(), Buffer.from("grüße").toString("base64"));
}

/** What a method has besides users and roles: secret ids, which are shown once. */
async function approle(cx) {
  const { page } = cx;
  await api("POST", "sys/auth/machines", { type: "approle" });
  await api("POST", "auth/machines/role/web", { token_policies: ["default"] });
  await go(cx, "/access/auth/machines");
  await page.getByRole("link", { name: "All that it offers" }).click();
  await page.getByRole("heading", { name: "auth/machines/", exact: true }).waitFor();
  await page.getByRole("link", { name: "role", exact: true }).click();
  await page.getByRole("link", { name: "web", exact: true }).click();
  await page.getByRole("link", { name: "secret-id", exact: true }).click();
  await page.getByRole("heading", { name: "secret-id", exact: true }).waitFor();
  await press(page, "Run");
  await fact(page, "secret_id").getByRole("img", { name: "secret_id, hidden" }).waitFor();
  await press(page, "Show secret_id");
  const secret = await fact(page, "secret_id").locator(".secret code").textContent();
  await page.getByRole("table").getByText(await fact(page, "secret_id_accessor").locator(".mono").textContent()).waitFor();
  const id = (await api("GET", "auth/machines/role/web/role-id")).body.data.role_id;
  const login = await api("POST", "auth/machines/login", { role_id: id, secret_id: secret }, "");
  assert.ok(login.body.auth.client_token);
}

/** Mounts and names with anything in them; another namespace. */
async function odd(cx) {
  const { page } = cx;
  await api("POST", `sys/mounts/${ODD.split("/").map(encodeURIComponent).join("/")}`, { type: "transit", description: HOSTILE });
  await go(cx, "/engines");
  await page.getByText(HOSTILE).waitFor();
  await page.getByRole("link", { name: `${ODD}/`, exact: true }).click();
  await page.getByRole("heading", { name: `${ODD}/`, exact: true }).waitFor();
  await page.getByRole("link", { name: "keys", exact: true }).click();
  await type(page, "Name, in keys", "of-us");
  await press(page, "Open or make");
  await press(page, "Create");
  await page.getByRole("button", { name: "Save" }).waitFor();
  assert.equal((await api("GET", `${ODD.split("/").map(encodeURIComponent).join("/")}/keys/of-us`)).status, 200);
  await page.getByRole("link", { name: "encrypt/of-us", exact: true }).click();
  await page.getByRole("heading", { name: "encrypt/{name}" }).waitFor();
  assert.equal(await page.locator("main img, main b").count(), 0);
  // A secret below folders, and a body of one's own choice.
  await go(cx, at("kv1", "{path}"));
  await page.getByText("None yet").waitFor();
  await go(cx, "/explorer/kv1%2F%7Bpath%7D");
  await page.getByRole("tab", { name: "Write" }).click();
  await type(page, "path", `folder/${HOSTILE.replaceAll("/", "")}`);
  await type(page, "Body", '{"a": ["b"');
  await press(page, "Run");
  await page.getByRole("alert").filter({ hasText: "It is no JSON yet" }).waitFor();
  await type(page, "Body", '{"a": ["b"]}');
  await press(page, "Run");
  await answer(page).getByText("Done.", { exact: false }).waitFor();
  await go(cx, at("kv1", "{path}"));
  await page.getByRole("link", { name: "folder/", exact: true }).click();
  await page.getByRole("link", { name: HOSTILE.replaceAll("/", ""), exact: true }).click();
  // What people keep there is theirs: hidden until they ask.
  await page.getByRole("img", { name: "a, hidden" }).waitFor();
  await press(page, "Show a");
  await page.locator(".fact .secret code", { hasText: "b" }).waitFor();
  assert.equal(await page.locator("main img").count(), 0);

  await api("POST", "sys/namespaces/team");
  await api("POST", "sys/mounts/own-transit", { type: "transit" }, given.token, { "X-Vault-Namespace": "team/" });
  await inNamespace(page, "team");
  await go(cx, "/engines");
  await page.getByRole("link", { name: "own-transit/", exact: true }).click();
  await page.getByRole("link", { name: "wrapping_key", exact: true }).click();
  await press(page, "Read");
  await answer(page).locator("pre", { hasText: "BEGIN PUBLIC KEY" }).waitFor();
  await page.getByText("Command line").click();
  assert.match((await page.locator(".command .code").allTextContents()).join(), /COFFER_NAMESPACE=team\/? coffer read own-transit\/wrapping_key/);
  await inNamespace(page, "root");
}

/** What is typed is what is stored and shown, to the last digit; no value of it is in a command. */
async function exactly(cx) {
  const { page } = cx;
  const stored = async (path) => (await fetch(`${given.addr}/v1/${path}`, { headers: { "X-Vault-Token": given.token } })).text();
  const numbers = ["18446744073709551615", "1.10", "1.00000000000000000001", "1e400"];
  const text = `{"id": ${numbers[0]}, "f": ${numbers[1]}, "long": ${numbers[2]}, "huge": ${numbers[3]}, "password": "hunter2", "empty": "", "list": [], "object": {}, "nothing": null}`;
  for (const [template, label] of [["kv2/data/{path}", "data"], ["cubbyhole/{path}", "Body"]]) {
    await go(cx, `/explorer/${encodeURIComponent(template)}`);
    await page.getByRole("heading", { name: template, exact: true }).waitFor();
    await page.getByRole("tab", { name: "Write" }).click();
    await type(page, "path", "q?mark");
    await type(page, label, text);
    await page.locator(".command .code", { hasText: "huge" }).first().waitFor({ state: "attached" });
    const shown = await commands(page);
    assert.ok(!/hunter2|1844|1e400/.test(shown), shown);
    assert.match(shown, /q%3Fmark/);
    const [answered] = await Promise.all([page.waitForResponse((one) => one.request().method() === "POST" && /q%3Fmark$/.test(one.url())), press(page, "Run")]);
    assert.ok(answered.ok(), await answered.text());
    const kept = await stored(template.replace("{path}", "q%3Fmark"));
    for (const number of numbers) assert.match(kept, new RegExp(`:\\s*${number.replace(".", "\\.")}[,}]`));
  }
  await page.getByRole("tab", { name: "Read" }).click();
  await type(page, "path", "q?mark");
  await press(page, "Read");
  for (const [name, value] of [["empty", '""'], ["list", "[]"], ["object", "{}"], ["nothing", "null"]]) assert.equal(await fact(page, name).locator("dd").textContent(), value);
  await shows(page, answer(page));
  await go(cx, at("cubbyhole", "{path}", { path: "q?mark" }));
  await page.getByRole("heading", { name: "q?mark", exact: true }).waitFor();
  await shows(page, page.locator("main"));
  assert.deepEqual(await page.locator("main .fact dt").allTextContents().then((all) => all.sort()), ["empty", "f", "huge", "id", "list", "long", "nothing", "object", "password"]);

  async function shows(page, place) {
    for (const [name, value] of [["id", numbers[0]], ["f", numbers[1]], ["long", numbers[2]], ["huge", numbers[3]]]) {
      await place.getByRole("button", { name: `Show ${name}`, exact: true }).click();
      await place.locator(".fact .secret code").getByText(value, { exact: true }).waitFor();
    }
  }
}

async function inNamespace(page, name) {
  await page.getByRole("button", { name: /^Namespace: / }).click();
  await page.locator(".menu .item", { hasText: name }).first().click();
  await page.getByRole("button", { name: `Namespace: ${name}` }).waitFor();
}

/** Any path: found by its words, asked by its methods. */
async function explorer(cx) {
  const { page } = cx;
  await go(cx, "/explorer");
  await page.getByText(/^\d+ of \d+ paths/).waitFor();
  await type(page, "Find a path", "random bytes sys/tools");
  await page.getByText(/^3 of/).waitFor();
  await examine(cx, "explorer");
  await page.getByRole("link", { name: "sys/tools/random", exact: true }).click();
  await page.getByRole("heading", { name: "sys/tools/random", exact: true }).waitFor();
  await type(page, "bytes", "many");
  await press(page, "Run");
  await page.getByText("This has to be a whole number.").waitFor();
  await type(page, "bytes", "8");
  await type(page, "format", "hex");
  await examine(cx, "explored");
  await press(page, "Run");
  assert.match(await fact(page, "random_bytes").locator(".mono").textContent(), /^[0-9a-f]{16}$/);
  // Texts, and files.
  await go(cx, "/explorer/sys%2Fmetrics");
  await page.getByRole("heading", { name: "sys/metrics", exact: true }).waitFor();
  await type(page, "format", "prometheus");
  await press(page, "Read");
  await answer(page).locator("pre", { hasText: "# TYPE" }).waitFor();
  await go(cx, "/explorer/sys%2Fstorage%2Fsnapshot");
  await page.getByRole("heading", { name: "sys/storage/snapshot", exact: true }).waitFor();
  await press(page, "Read");
  await answer(page).getByText(/A file of \d+ KiB/).waitFor();
  // One that never ends is stopped.
  await go(cx, "/explorer/sys%2Fmonitor");
  await page.getByRole("heading", { name: "sys/monitor", exact: true }).waitFor();
  await type(page, "log_level", "debug");
  await press(page, "Read");
  await press(page, "Stop");
  await page.getByRole("button", { name: "Stop", exact: true }).waitFor({ state: "detached" });
  await go(cx, "/explorer/no%2Fsuch");
  await page.getByText("The server has no such path").waitFor();
}

/** Certificates, codes by time and signed keys, on the first day of their engines. */
async function tomorrow(cx) {
  const { page } = cx;
  const asked = await mountTomorrow(cx);
  // Loading anew signs out, and forgets the description of today.
  await page.reload();
  await signIn(cx, given.token, "/engines");
  await page.getByRole("link", { name: "pki/", exact: true }).click();
  await page.getByRole("link", { name: "root/generate/{exported}" }).click();
  await page.getByRole("heading", { name: "root/generate/{exported}" }).waitFor();
  assert.deepEqual(await page.locator("datalist option").evaluateAll((all) => all.map((one) => one.value)), ["internal", "exported", "existing"]);
  await type(page, "exported", "internal");
  await type(page, "common_name", "Example Root");
  await type(page, "ttl", "87600h");
  await choose(page, "key_type", "ec");
  await press(page, "Run");
  await answer(page).getByText("This mount has no configured URLs").waitFor();
  await fact(page, "certificate").locator("pre", { hasText: "BEGIN CERTIFICATE" }).waitFor();
  assert.deepEqual(asked.at(-1), { method: "POST", path: "pki/root/generate/internal", body: { common_name: "Example Root", ttl: "87600h", key_type: "ec" } });
  const [file] = await Promise.all([page.waitForEvent("download"), fact(page, "certificate").getByRole("button", { name: "Download certificate" }).click()]);
  assert.equal(file.suggestedFilename(), "certificate.pem");

  await go(cx, at("pki", "roles/{name}", { name: "web" }));
  await type(page, "allowed_domains", "example.com");
  await page.getByLabel("allow_subdomains").check();
  await type(page, "max_ttl", "72h");
  await press(page, "Create");
  await page.getByRole("link", { name: "issue/web", exact: true }).click();
  await type(page, "common_name", "shop.example.com");
  await press(page, "Run");
  await fact(page, "private_key").getByRole("img", { name: "private_key, hidden" }).waitFor();
  assert.ok(!/PRIVATE KEY/.test(await page.content()));
  await examine(cx, "engine-certificate");
  await press(page, "Show private_key");
  await fact(page, "private_key").locator("pre", { hasText: "BEGIN PRIVATE KEY" }).waitFor();
  const number = await fact(page, "serial_number").locator(".mono").textContent();
  assert.deepEqual(asked.at(-1).body, { common_name: "shop.example.com" });

  await go(cx, "/engines/pki");
  await page.getByRole("link", { name: "certs", exact: true }).click();
  await page.getByRole("link", { name: number, exact: true }).click();
  await page.locator("pre", { hasText: "BEGIN CERTIFICATE" }).waitFor();
  await go(cx, at("pki", "revoke"));
  await type(page, "serial_number", number);
  await press(page, "Run");
  await page.getByRole("dialog").getByRole("button", { name: "Run", exact: true }).click();
  await fact(page, "state").getByText("revoked").waitFor();

  await go(cx, at("totp", "keys/{name}", { name: "ann" }));
  await page.getByLabel("generate").check();
  await type(page, "account_name", "ann@example.com");
  await press(page, "Create");
  await page.getByRole("img", { name: "barcode" }).waitFor();
  assert.equal(await page.getByRole("img", { name: "barcode" }).getAttribute("src"), `data:image/png;base64,${PNG}`);
  assert.ok(!(await page.content()).includes("VERYSECRETSEED"));
  await go(cx, at("totp", "code/{name}", { name: "ann" }));
  await press(page, "Read");
  await fact(page, "code").getByText("123456").waitFor();
  await go(cx, at("ssh", "sign/{role}", { role: "ops" }));
  await type(page, "public_key", "ssh-ed25519 AAAA");
  await press(page, "Run");
  await fact(page, "signed_key").locator("pre", { hasText: "ssh-ed25519-cert" }).waitFor();
  await page.unrouteAll({ behavior: "wait" });
}

/** Somebody with few rights sees what is theirs; the rest only when they ask for it. */
async function limited(cx) {
  const { page } = cx;
  await api("PUT", "sys/policies/acl/few", { policy: 'path "transit/encrypt/orders" { capabilities = ["update"] }\npath "transit/+/other" { capabilities = ["update"] }\npath "transit/keys" { capabilities = ["list"] }' });
  const { client_token: token } = (await api("POST", "auth/token/create", { policies: ["few"] })).body.auth;
  await page.reload();
  await signIn(cx, token, "/engines/transit");
  await page.getByRole("link", { name: "encrypt/{name}" }).waitFor();
  await page.getByRole("link", { name: "keys", exact: true }).waitFor();
  assert.equal(await page.getByRole("link", { name: "backup/{name}" }).count(), 0);
  assert.equal(await page.getByRole("heading", { name: "Settings" }).count(), 0);
  await examine(cx, "engine-limited");
  await page.getByLabel("Show what no policy of your token grants").check();
  await page.getByRole("link", { name: "backup/{name}" }).click();
  await type(page, "name", "orders");
  await page.getByText("No policy of your token grants read on transit/backup/orders").first().waitFor();
  assert.ok(await page.getByRole("button", { name: "Read", exact: true }).isDisabled());
  await go(cx, at("transit", "encrypt/{name}", { name: "orders" }));
  await type(page, "plaintext", "aGVsbG8=");
  await press(page, "Run");
  await fact(page, "ciphertext").waitFor();
  await go(cx, "/engines/database");
  await page.getByText("Nothing is mounted here").waitFor();
  await go(cx, at("transit", "keys/{name}", { name: "orders" }));
  await page.getByText(/may not see/).waitFor();
}

/** Nothing of an answer is left after signing out. */
async function forgotten(cx) {
  const { page } = cx;
  await page.reload();
  await signIn(cx, given.token, "/explorer/auth%2Ftoken%2Fcreate");
  await page.getByRole("heading", { name: "auth/token/create", exact: true }).waitFor();
  await press(page, "Run");
  const made = answer(page).getByRole("region", { name: "The token" });
  await made.getByRole("button", { name: "Show client_token" }).click();
  const token = await made.locator(".secret code").textContent();
  assert.match(token, /^hvs\./);
  assert.ok(await remembers(cx, token), "the answer is in memory while it is shown");
  await page.getByRole("button", { name: /^Session of/ }).click();
  await page.getByRole("button", { name: "Sign out", exact: true }).click();
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  assert.ok(!(await remembers(cx, token)), "the answer is still in memory");
  assert.ok(!(await remembers(cx, cx.password)), "a password of the database is still in memory");
}
