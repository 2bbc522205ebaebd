// Who may do what: policies with a mistake and without, why a path is refused, tokens by their accessors, methods, entities, groups.
import { api, assert, examine, given, go, picture, signIn, story, until } from "./harness.mjs";

const HOSTILE = '<img src=x onerror="document.title=1">';

await story(async (cx) => {
  const { page } = cx;
  await signIn(cx, given.token, "/access/policies");
  await page.getByRole("link", { name: "default", exact: true }).waitFor();
  await examine(cx, "policies");
  await policy(cx);
  await explain(cx);
  await tokens(cx);
  await methods(cx);
  await identities(cx);
  await limited(cx);
});

async function policy(cx) {
  const { page } = cx;
  await page.getByRole("link", { name: "New policy" }).click();
  await page.getByLabel("Name", { exact: true }).fill("app");
  const rules = page.getByLabel("Rules");
  await rules.fill('path "secret/data/app/*" {\n  capabilities = ["read"]\n}\n\npath "secret/data/app/<b>" {\n  capabilities = ["reed"]\n}\n');
  await page.getByRole("button", { name: "Check" }).click();
  const alert = page.getByRole("alert").filter({ hasText: "line 6, column 3" });
  await alert.waitFor();
  assert.match(await alert.textContent(), /did you mean "read"\?/);
  assert.equal(await page.locator(".hcl .lines > .faulty").textContent(), "6");
  assert.match(await page.locator(".hcl pre > .faulty").textContent(), /reed/);
  await until(async () => (await rules.evaluate((area) => area.value.slice(0, area.selectionStart).split("\n").length)) === 6, "the cursor stands where the mistake is");
  await examine(cx, "policy-wrong");
  await rules.fill((await rules.inputValue()).replace("reed", "read"));
  await page.getByRole("button", { name: "Check" }).click();
  await page.getByText("The server understands these rules. Nothing was saved.").waitFor();
  assert.equal((await api("GET", "sys/policies/acl/app")).status, 404);

  // Leaving is asked about, by a link and by the browser's button.
  await page.getByRole("link", { name: "Auth methods" }).click();
  await page.getByRole("heading", { name: "Leave without saving?" }).waitFor();
  await page.getByRole("button", { name: "Cancel" }).click();
  assert.match(await page.url(), /access\/policies\/new$/);
  await page.goBack();
  await page.getByRole("heading", { name: "Leave without saving?" }).waitFor();
  await page.getByRole("button", { name: "Cancel" }).click();
  assert.match(await rules.inputValue(), /app/);

  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText(/^Version 1, changed/).waitFor();
  assert.match(await page.url(), /policies\/edit\/app$/);
  assert.match((await api("GET", "sys/policies/acl/app")).body.data.policy, /"secret\/data\/app\/<b>"/);
  assert.equal(await page.locator("main b").count(), 0);
  // By keyboard: Tab indents, Enter keeps the indentation, Ctrl+S saves.
  await rules.focus();
  await page.keyboard.press("Control+Home");
  await page.keyboard.type('path "more/*" {');
  await page.keyboard.press("Enter");
  await page.keyboard.type("capabilities = [\"list\"]\n}\n");
  assert.match(await rules.inputValue(), /^path "more\/\*" \{\n {2}capabilities = \["list"\]\n\}\npath/);
  await page.getByText("not saved").waitFor();
  await page.getByRole("region", { name: "What changes" }).waitFor();
  await until(async () => (await page.locator(".diff .line.added").count()) === 3, "three lines are new");
  await picture(cx, "policy-changed");
  // Somebody else was faster: the server refuses, and nothing of theirs is lost.
  const theirs = 'path "theirs" { capabilities = ["read"] }';
  await api("PUT", "sys/policies/acl/app", { policy: theirs });
  await rules.focus();
  await page.keyboard.press("Control+s");
  const conflict = page.getByRole("region", { name: "Conflict" });
  await conflict.getByText(/the policy has version 2 now/).waitFor();
  assert.equal((await api("GET", "sys/policies/acl/app")).body.data.policy, theirs);
  // What was typed is still there, beside theirs; the one or the other is saved on demand.
  assert.match(await rules.inputValue(), /^path "more/);
  await page.getByRole("region", { name: "From theirs to yours" }).getByText(theirs).waitFor();
  assert.ok(await page.getByRole("button", { name: "Save", exact: true }).isDisabled());
  await examine(cx, "policy-conflict");
  await conflict.getByRole("button", { name: "Save over version 2" }).click();
  await page.getByText(/^Version 3, changed/).waitFor();
  assert.match((await api("GET", "sys/policies/acl/app")).body.data.policy, /^path "more/);
  await api("PUT", "sys/policies/acl/app", { policy: theirs });
  await rules.fill("# mine");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await conflict.getByRole("button", { name: "Load version 4 in place of yours" }).click();
  await page.getByText(/^Version 4, changed/).waitFor();
  assert.equal(await rules.inputValue(), theirs);

  await backIsBack(cx);
  await go(cx, "/access/policies");
  await page.getByRole("link", { name: "app", exact: true }).waitFor();
  await api("PUT", "sys/policies/acl/app", { policy: 'path "secret/data/app/*" {\n  capabilities = ["read"]\n}' });
  await api("PUT", "sys/policies/acl/gone", { policy: theirs });
  await go(cx, "/access/policies/edit/gone");
  await page.getByRole("button", { name: "Delete" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await page.getByRole("heading", { name: "Policies", exact: true }).waitFor();
  assert.equal((await api("GET", "sys/policies/acl/gone")).status, 404);
}

/** What was left unsaved by the way back is no step of that way any more. */
async function backIsBack(cx) {
  const { page } = cx;
  await go(cx, "/access/auth");
  await go(cx, "/access/policies");
  await page.getByRole("link", { name: "app", exact: true }).click();
  await page.getByLabel("Rules").fill("# changed");
  await page.getByText("not saved", { exact: true }).waitFor();
  await page.goBack();
  await page.getByRole("button", { name: "Leave" }).click();
  await page.getByRole("heading", { name: "Policies", exact: true }).waitFor();
  await page.goBack();
  await page.getByRole("heading", { name: "Auth methods", exact: true }).waitFor();
}

async function explain(cx) {
  const { page } = cx;
  const { accessor } = (await api("POST", "auth/token/create", { policies: ["app"], ttl: "1h" })).body.auth;
  await go(cx, "/access/explain");
  await page.getByLabel("Who").selectOption("accessor");
  await page.getByLabel("Accessor").fill(accessor);
  await page.getByLabel("Path").fill("secret/data/app/config");
  await page.getByLabel("Verb").selectOption("update");
  await page.keyboard.press("Tab");
  await page.getByRole("button", { name: "Explain", exact: true }).click();
  await page.getByText("Refused: update on secret/data/app/config").waitFor();
  await page.getByText('The capability "update" is not granted', { exact: false }).first().waitFor();
  await page.getByRole("link", { name: "app", exact: true }).first().waitFor();
  await page.getByText("line 1, grants read").waitFor();
  await examine(cx, "explain-refused");
  await page.getByLabel("Path").fill("secret/data/other");
  await page.getByRole("button", { name: "Explain", exact: true }).click();
  await page.getByText("No rule of these policies is about this path", { exact: false }).first().waitFor();
  await page.getByLabel("Path").fill("secret/data/app/config");
  await page.getByLabel("Verb").selectOption("read");
  await page.getByRole("button", { name: "Explain", exact: true }).click();
  await page.getByText("Allowed: read on secret/data/app/config").waitFor();
}

async function tokens(cx) {
  const { page } = cx;
  const doomed = (await api("POST", "auth/token/create", { policies: ["app"], ttl: "1h", display_name: HOSTILE })).body.auth;
  const key = (await api("POST", "auth/token/access-keys", { policies: ["app"], ttl: "1h" })).body.data.access_key_id;
  await go(cx, "/access/tokens");
  await page.getByText("yours", { exact: true }).waitFor();
  await page.getByRole("button", { name: `Revoke ${key}` }).waitFor();
  await examine(cx, "tokens");
  await page.getByRole("button", { name: `Revoke ${key}` }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Revoke", exact: true }).click();
  await page.getByText(key, { exact: true }).waitFor({ state: "detached" });
  assert.equal((await api("GET", `auth/token/access-keys/${key}`)).status, 404);
  await page.getByLabel("Accessor", { exact: true }).fill(doomed.accessor);
  await page.getByRole("button", { name: "Look up", exact: true }).first().click();
  const dialog = page.getByRole("dialog");
  await dialog.getByText(doomed.accessor).first().waitFor();
  assert.equal(await page.locator("dialog img, dialog b").count(), 0);
  await examine(cx, "token");
  await dialog.getByRole("button", { name: "Revoke", exact: true }).click();
  await dialog.getByRole("button", { name: "Revoke now" }).click();
  await dialog.waitFor({ state: "detached" });
  assert.equal((await api("GET", "auth/token/lookup-self", undefined, doomed.client_token)).status, 403);

  await page.getByRole("button", { name: "New token" }).click();
  await dialog.getByLabel("Policies").fill("app");
  await dialog.getByLabel("Lives for").fill("a while");
  await dialog.getByRole("button", { name: "Create" }).click();
  await dialog.getByText("is not a duration", { exact: false }).waitFor();
  await dialog.getByLabel("Lives for").fill("20m");
  await dialog.getByLabel("Leave the policy default out").check();
  await dialog.locator(".command summary").click();
  await dialog.getByText("coffer token create -policy=app -ttl=20m -no-default-policy", { exact: true }).waitFor();
  await examine(cx, "token-new");
  await dialog.getByRole("button", { name: "Create" }).click();
  await page.getByRole("heading", { name: "The new token" }).waitFor();
  // Never drawn before somebody asks; copied without being shown.
  assert.ok(!/hvs\./.test(await page.content()));
  await cx.context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await dialog.getByRole("button", { name: "Copy the token" }).click();
  // The dashboard itself may not read the clipboard, so another page of the same origin does.
  const reader = await cx.context.newPage();
  await reader.goto(new URL("/v1/sys/health", page.url()).href);
  const copied = await until(() => reader.evaluate(() => navigator.clipboard.readText()), "the token is in the clipboard");
  await reader.close();
  assert.ok(!/hvs\./.test(await page.content()));
  const made = (await api("POST", "auth/token/lookup", { token: copied })).body.data;
  assert.ok(made.creation_ttl === 1200 && made.policies.includes("app") && !made.policies.includes("default"));
  await picture(cx, "token-made");
  // It stays until somebody says so.
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "I have it" }).click();
  await dialog.waitFor({ state: "detached" });
}

async function methods(cx) {
  const { page } = cx;
  await go(cx, "/access/auth");
  await page.getByRole("link", { name: "token/" }).waitFor();
  await page.getByRole("button", { name: "Enable" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Type").selectOption("userpass");
  await dialog.getByLabel("Path", { exact: true }).fill("people");
  await dialog.getByLabel("Description").fill(HOSTILE);
  await examine(cx, "method-enable");
  await dialog.getByRole("button", { name: "Enable", exact: true }).click();
  await page.getByRole("link", { name: "people/" }).click();
  await page.getByRole("heading", { name: "auth/people/" }).waitFor();
  await page.getByText("Accessor").waitFor();
  await page.getByLabel("Name, in users").fill("ann");
  await page.getByRole("button", { name: "Open or make" }).click();
  await page.getByRole("textbox", { name: "password", exact: true }).fill("a-password-of-ann-1");
  await page.getByLabel("token_policies", { exact: true }).fill("app");
  await picture(cx, "method-user", { fullPage: true });
  await page.getByRole("button", { name: "Create" }).click();
  await page.getByRole("button", { name: "Delete" }).waitFor();
  const login = await api("POST", "auth/people/login/ann", { password: "a-password-of-ann-1" }, "");
  assert.ok(login.body.auth.policies.includes("app"));
  await examine(cx, "method-user-kept");
  await go(cx, "/access/auth/people");
  await page.getByLabel("Name, in users").fill("a b");
  await page.getByRole("button", { name: "Open or make" }).click();
  await page.getByRole("textbox", { name: "password", exact: true }).fill("a-password-of-ann-1");
  await page.getByRole("button", { name: "Create" }).click();
  await page.getByRole("alert").getByText("The server takes no such name").waitFor();
  await page.getByRole("link", { name: "auth/people/" }).click();
  await page.getByRole("button", { name: "Leave" }).click();
  await page.getByRole("link", { name: "ann" }).waitFor();
  await page.getByLabel("Leases by default").fill("45m");
  await page.getByRole("button", { name: "Save" }).click();
  await until(async () => (await api("GET", "sys/auth/people/tune")).body.data.default_lease_ttl === 2700, "it is tuned");
  await examine(cx, "method");
  assert.equal(await page.locator("main img").count(), 0);
}

async function identities(cx) {
  const { page } = cx;
  await go(cx, "/access/entities");
  await page.getByText("ann (auth/people/)").waitFor();
  await examine(cx, "entities");
  await page.locator("td a").first().click();
  await page.getByLabel("Name", { exact: true }).fill("Ann");
  await page.getByLabel("Policies", { exact: true }).fill("default, app");
  await page.getByLabel("Metadata").fill(`team=shop\nnote=${HOSTILE}`);
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByRole("heading", { name: "Ann" }).waitFor();
  const entity = (await api("GET", "identity/entity/name/Ann")).body.data;
  assert.deepEqual(entity.policies.sort(), ["app", "default"]);
  assert.equal(entity.metadata.note, HOSTILE);
  await examine(cx, "entity");
  await go(cx, "/access/groups");
  await page.getByText("No groups yet").waitFor();
  await page.getByRole("button", { name: "New group" }).click();
  await page.getByRole("dialog").getByLabel("Name").fill("shop");
  await page.getByRole("dialog").getByRole("button", { name: "Create" }).click();
  await page.getByLabel("Member entities").fill(entity.id);
  await page.getByLabel("Policies", { exact: true }).fill("app");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByRole("link", { name: entity.id }).waitFor();
  await examine(cx, "group");
  assert.deepEqual((await api("GET", "identity/group/name/shop")).body.data.member_entity_ids, [entity.id]);
  await together(cx);
  await page.getByRole("button", { name: "Delete" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await page.getByText("No groups yet").waitFor();
}

/** Two at the same group: what the other one changed stays, and where both changed the same nothing is written over unseen. */
async function together(cx) {
  const { page } = cx;
  const group = async () => (await api("GET", "identity/group/name/shop")).body.data;
  const { id, member_entity_ids: members } = await group();
  const theirs = (body) => api("POST", `identity/group/id/${id}`, body);
  const save = page.getByRole("button", { name: "Save", exact: true });
  const metadata = { "k=x": " padded ", note: "line1\nline2" };
  await theirs({ policies: ["app", "auditor"], metadata });
  await go(cx, "/access/groups");
  await page.getByRole("link", { name: "shop", exact: true }).click();
  // A form that shows metadata of any kind changes none of it.
  await until(async () => (await page.getByLabel("Metadata").inputValue()) === JSON.stringify(metadata, null, 2), "the metadata is there");
  await theirs({ policies: ["app", "theirs"], member_entity_ids: [] });
  await page.getByLabel("Name", { exact: true }).fill("@shop");
  await page.locator("main .command summary").click();
  await page.getByText(`coffer write identity/group/id/${id} 'name=\\@shop'`, { exact: true }).waitFor();
  await page.getByLabel("Name", { exact: true }).fill("Shop");
  await save.click();
  await page.getByRole("heading", { name: "Shop", exact: true }).waitFor();
  await until(async () => (await page.getByLabel("Policies", { exact: true }).inputValue()) === "app, theirs", "what they changed is shown");
  const kept = await group();
  assert.deepEqual([kept.policies, kept.member_entity_ids ?? [], kept.metadata], [["app", "theirs"], [], metadata]);

  await page.getByLabel("Policies", { exact: true }).fill("mine");
  await page.getByLabel("Member entities").fill(members[0]);
  await theirs({ policies: ["app"] });
  await save.click();
  const conflict = page.getByRole("region", { name: "Conflict" });
  await conflict.getByText("app", { exact: true }).waitFor();
  await examine(cx, "group-conflict");
  assert.deepEqual((await group()).policies, ["app"]);
  await conflict.getByRole("button", { name: "Load what is there now" }).click();
  await conflict.waitFor({ state: "detached" });
  assert.equal(await page.getByLabel("Policies", { exact: true }).inputValue(), "app");
  await save.click();
  await page.getByRole("link", { name: members[0] }).waitFor();
  assert.deepEqual((await group()).member_entity_ids, members);
}

/** Somebody who may only look: no area that is not theirs, and reasons in the place of buttons. */
async function limited(cx) {
  const { page } = cx;
  await api("PUT", "sys/policies/acl/looker", { policy: 'path "sys/policies/acl" { capabilities = ["list"] }\npath "sys/policies/acl/*" { capabilities = ["read"] }' });
  const { client_token: token } = (await api("POST", "auth/token/create", { policies: ["looker"] })).body.auth;
  await page.reload();
  await signIn(cx, token, "/access/policies/edit/app");
  await page.getByText("It can be read but not changed.").waitFor();
  assert.ok(await page.getByRole("button", { name: "Save" }).isDisabled());
  assert.match(await page.getByRole("button", { name: "Delete" }).getAttribute("title"), /No policy of your token grants delete/);
  assert.equal(await page.getByRole("link", { name: "Seal" }).count(), 0);
  assert.equal(await page.getByRole("link", { name: "Tokens" }).count(), 0);
  await go(cx, "/access/tokens");
  await page.getByText("Your token may not see the accessors of all tokens").waitFor();
  await examine(cx, "tokens-denied");
}
