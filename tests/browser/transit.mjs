// Keys that stay in the server: made, used, rotated and taken away, by somebody with all rights, and by those with few.
import { accessible, api, assert, examine, fits, given, go, remembers, signIn, story, until } from "./harness.mjs";

const MARKUP = "<img src=q onerror=document.title=1>";
const CARD = "card 4111-2222 <b>";

await story(async (cx) => {
  const { page } = cx;
  const button = (name) => page.getByRole("button", { name, exact: true });
  const link = (name) => page.getByRole("link", { name, exact: true });
  /** A card with something to try. */
  const card = (title) => page.locator("section.card", { has: page.getByRole("heading", { name: title, exact: true }) });
  const press = (title, verb = title) => card(title).getByRole("button", { name: verb, exact: true }).click();
  const confirm = async (verb, typed) => {
    const dialog = page.getByRole("dialog");
    if (typed) await dialog.getByRole("textbox").fill(typed);
    await dialog.getByRole("button", { name: verb, exact: true }).click();
    await dialog.waitFor({ state: "detached" });
  };
  const commands = async () => {
    for (const one of await page.locator("main details.command > summary").all()) if (await one.evaluate((summary) => !summary.parentElement.open)) await one.click();
    return (await page.locator("main details.command .code").allInnerTexts()).join("\n");
  };

  // Nothing is mounted: the navigation has no place for it, and the place says what to do.
  await signIn(cx, given.token, "/transit");
  await page.getByText("No transit engine is open to this token").waitFor();
  assert.equal(await page.getByRole("navigation", { name: "Areas" }).getByRole("link", { name: "Transit" }).count(), 0);
  await api("POST", "sys/mounts/transit", { type: "transit", description: MARKUP });
  await api("POST", "sys/mounts/team/keys", { type: "transit" });
  await go(cx, "/");
  await page.getByRole("navigation", { name: "Areas" }).getByRole("link", { name: "Transit" }).click();
  await link("team/keys/").waitFor();
  await examine(cx, "transit-engines");
  assert.equal(await page.locator("main img").count(), 0);
  await link("transit/").click();
  await page.getByText("There is no key yet").waitFor();

  // A key of the usual kind.
  await button("New key").click();
  await page.getByLabel("Name", { exact: true }).fill("no good");
  await page.getByText("Letters, digits, and").waitFor();
  await page.getByLabel("Name", { exact: true }).fill("orders");
  // The server says itself which types it has.
  await page.getByLabel("Type", { exact: true }).locator("option[value='mldsa-87']").waitFor({ state: "attached" });
  assert.deepEqual(await page.getByLabel("Type", { exact: true }).locator("option").allInnerTexts(), given.types);
  await examine(cx, "transit-new-key");
  await button("Create").click();
  await page.getByRole("heading", { name: "orders", exact: true }).waitFor();
  await page.getByRole("region", { name: "Versions" }).getByText("latest", { exact: true }).waitFor();
  await button("Rotate").click();
  await confirm("Rotate");
  await page.getByText("The latest version is 2 now").waitFor();
  await examine(cx, "transit-key");

  // Encrypt, decrypt, rewrap: what is secret is not shown unasked, and is in no command.
  await api("POST", "transit/keys/orders/config", { min_encryption_version: 0 });
  await link("Encrypt and decrypt").click();
  await card("Encrypt").getByLabel("Plaintext", { exact: true }).fill(CARD);
  await card("Encrypt").getByLabel("Associated data").fill("order=17");
  await press("Encrypt");
  await button("Decrypt this").click();
  assert.match(await card("Decrypt").getByLabel("Ciphertext", { exact: true }).inputValue(), /^vault:v2:/);
  await press("Decrypt");
  await page.getByRole("img", { name: "Plaintext, hidden" }).waitFor();
  await button("Show the plaintext").click();
  assert.equal(await card("Decrypt").locator(".code pre").first().innerText(), CARD);
  const all = await commands();
  assert.ok(all.includes("coffer transit encrypt -associated-data=… orders @plaintext.txt") || all.includes("coffer transit encrypt '-associated-data=…' orders @plaintext.txt"), all);
  assert.ok(!all.includes("4111") && !all.includes(Buffer.from(CARD).toString("base64")), "a plaintext is in a command");
  await examine(cx, "transit-encrypt");
  // Another input takes the outcome away, wrong data is refused in the server's words.
  await card("Decrypt").getByLabel("Associated data").fill("order=18");
  await page.getByRole("img", { name: "Plaintext, hidden" }).waitFor({ state: "detached" });
  await press("Decrypt");
  await card("Decrypt").getByRole("alert").waitFor();
  await card("Decrypt").getByLabel("Associated data").fill("order=17");
  // Bytes that are no text come as base64.
  await card("Encrypt").getByRole("button", { name: "base64" }).first().click();
  await card("Encrypt").getByLabel("Plaintext", { exact: true }).fill("???");
  await page.getByText("It is no base64 yet.").waitFor();
  await card("Encrypt").getByLabel("Plaintext", { exact: true }).fill("AP8A/w==");
  await press("Encrypt");
  await button("Decrypt this").click();
  await press("Decrypt");
  await page.getByText("base64: the bytes are no text").waitFor();
  await button("Show the plaintext").click();
  assert.equal(await card("Decrypt").locator(".code pre").first().innerText(), "AP8A/w==");
  // It goes on to the next tab, under a new version.
  await api("POST", "transit/keys/orders/rotate", {});
  await link("Rewrap").click();
  await page.getByText("Made by version 2.").waitFor();
  await press("Rewrap");
  await page.getByText("version 3", { exact: true }).waitFor();
  assert.ok((await commands()).includes("coffer write -field=ciphertext transit/rewrap/orders ciphertext=@ciphertext.txt"));
  await button("Go on with this").click();
  await page.getByText("Made by version 3.").waitFor();
  await examine(cx, "transit-rewrap");

  // A data key, hidden; and only its encrypted form.
  await link("Data key").click();
  await press("Data key", "Make a data key");
  await page.getByRole("img", { name: "Data key, hidden" }).waitFor();
  await examine(cx, "transit-data-key");
  await page.getByLabel(/^Only the encrypted key/).check();
  await press("Data key", "Make a data key");
  await page.getByText("Encrypted data key", { exact: true }).waitFor();
  assert.equal(await page.getByRole("img", { name: "Data key, hidden" }).count(), 0);

  // HMACs.
  await link("HMAC").click();
  await card("Make an HMAC").getByLabel("Input", { exact: true }).fill("message");
  await card("Make an HMAC").getByLabel("Hash", { exact: true }).selectOption("sha2-512");
  await press("Make an HMAC", "Make the HMAC");
  await button("Verify this").click();
  await press("Verify an HMAC", "Verify the HMAC");
  await page.getByText("Valid: the HMAC is of this key and this input.").waitFor();
  await card("Verify an HMAC").getByLabel("Input", { exact: true }).fill("massage");
  await press("Verify an HMAC", "Verify the HMAC");
  await page.getByText("Not valid: the HMAC").waitFor();

  // Pairs: signatures, with what their kind lets one choose.
  await api("POST", "transit/keys/code", { type: "ecdsa-p256" });
  await api("POST", "transit/keys/tenants", { type: "ed25519", derived: true });
  await go(cx, "/transit/transit/code");
  await page.getByText("BEGIN PUBLIC KEY").waitFor();
  assert.equal(await link("Encrypt and decrypt").count() + (await link("Rewrap").count()), 0, "what does not fit the type is offered");
  await link("Sign and verify").click();
  await card("Sign").getByLabel("Message", { exact: true }).fill("release 1");
  await card("Sign").getByLabel("Hash", { exact: true }).selectOption("sha2-384");
  await card("Sign").getByLabel("Form", { exact: true }).selectOption("jws");
  await press("Sign");
  await button("Verify this").click();
  await press("Verify");
  await page.getByText("Valid: the signature is of this key").waitFor();
  await examine(cx, "transit-sign");
  await card("Verify").getByLabel("Message", { exact: true }).fill("release 2");
  await press("Verify");
  await page.getByText("Not valid: the signature").waitFor();
  await go(cx, "/transit/transit/tenants?tab=sign");
  await card("Sign").getByLabel("Message", { exact: true }).fill("m");
  assert.ok(await card("Sign").getByRole("button", { name: "Sign", exact: true }).isDisabled(), "a derived key without a context");
  await card("Sign").getByLabel("Context", { exact: true }).fill("tenant 7");
  await press("Sign");
  await page.getByText("Public key of this context").waitFor();

  // Settings, and the ways in which a key ends.
  await go(cx, "/transit/transit/orders?tab=settings");
  await page.getByLabel("Least version that decrypts").fill("2");
  await page.getByLabel("Least version that encrypts").fill("2");
  await page.getByLabel("Rotate by itself every").fill("30d");
  await page.getByLabel(/^The key may be deleted/).check();
  await button("Save").click();
  await page.getByText("The settings are saved").waitFor();
  await examine(cx, "transit-settings");
  const saved = (await api("GET", "transit/keys/orders")).body.data;
  assert.deepEqual([saved.min_decryption_version, saved.min_encryption_version, saved.auto_rotate_period, saved.deletion_allowed], [2, 2, 2_592_000, true]);
  await page.getByLabel(/^Exportable/).check();
  await button("Save").click();
  await page.getByText("Once a key is exportable").waitFor();
  await page.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();
  await page.getByLabel(/^Exportable/).uncheck();
  await page.getByLabel("Destroy versions before").fill("2");
  await button("Destroy old versions").click();
  await confirm("Destroy", "orders");
  await page.getByText("Versions before 2 are destroyed").waitFor();
  await button("Take out of use").click();
  await confirm("Take out of use");
  await page.getByText("Out of use: orders").waitFor();
  await link("Key").click();
  await page.getByText("It is out of use: the server refuses it").waitFor();
  await link("Settings").click();
  await button("Take back into use").click();
  await confirm("Take back into use");
  await page.getByText("In use again: orders").waitFor();
  await button("Delete the key").click();
  await examine(cx, "transit-delete");
  await confirm("Delete for good", "orders");
  await page.getByText("Deleted: orders").waitFor();
  assert.equal((await api("GET", "transit/keys/orders")).status, 404);

  // The list, and what needs no key.
  await link("code").waitFor();
  await page.getByText("ecdsa-p256").waitFor();
  await examine(cx, "transit-keys");
  await page.getByLabel("Search by name").fill("ten");
  await link("code").waitFor({ state: "detached" });
  await link("Random bytes").click();
  await press("Random bytes", "Make random bytes");
  await button("Show the random bytes").waitFor();
  await link("Hash").click();
  await page.getByLabel("Input", { exact: true }).fill("hi");
  await press("Hash");
  await page.getByText("8f434346648f6b96df89dda901c5176b10a6d83961dd3c1ac88b59b2dc327aa4").waitFor();
  await examine(cx, "transit-hash");

  // An engine at another path, and a key with all that one may wish.
  await go(cx, "/transit/team%2Fkeys");
  await button("New key").click();
  await page.getByLabel("Name", { exact: true }).fill("people");
  await page.getByLabel(/^Derived/).check();
  await page.getByLabel(/^Convergent/).check();
  await button("Create").click();
  await page.getByText("yes; equal texts become equal ciphertexts").waitFor();
  assert.ok((await commands()).includes("coffer transit keys read -mount=team/keys people"));

  // In a namespace: its own engines, and commands that name it.
  await api("POST", "sys/namespaces/shop", {});
  await api("POST", "sys/mounts/transit", { type: "transit" }, given.token, { "X-Vault-Namespace": "shop" });
  await page.getByRole("button", { name: "Namespace: root" }).click();
  await page.locator(".menu .item", { hasText: "shop" }).click();
  await page.getByRole("button", { name: "Namespace: shop/" }).waitFor();
  await go(cx, "/transit/transit");
  await button("New key").click();
  await page.getByLabel("Name", { exact: true }).fill("inner");
  await button("Create").click();
  await page.getByRole("heading", { name: "inner", exact: true }).waitFor();
  await card("The key").waitFor();
  assert.ok((await commands()).includes("COFFER_NAMESPACE=shop/ coffer transit keys read inner"));
  assert.equal((await api("GET", "transit/keys/inner", undefined, given.token, { "X-Vault-Namespace": "shop" })).status, 200);
  assert.equal((await api("GET", "transit/keys/inner")).status, 404);

  // A program's token: it may encrypt with one key, and nothing else.
  await api("POST", "transit/keys/mail", {});
  await page.reload();
  await signIn(cx, given.writer, "/transit/transit");
  await page.getByText("Your token may not see the names of the keys").waitFor();
  await until(() => button("New key").isDisabled(), "a key can not be made");
  await accessible(cx, "keys that may not be listed");
  await fits(cx, "keys that may not be listed");
  await page.getByLabel("Open a key by its name").fill("mail");
  await button("Open").click();
  await page.getByText("Your token may use this key, and not look at it").waitFor();
  await card("Encrypt").getByLabel("Plaintext", { exact: true }).fill(CARD);
  await press("Encrypt");
  await button("Decrypt this").click();
  assert.ok(await card("Decrypt").getByRole("button", { name: "Decrypt", exact: true }).isDisabled());
  assert.equal(await link("Rewrap").count() + (await link("HMAC").count()) + (await link("Settings").count()), 0);
  await examine(cx, "transit-few-rights");

  // Signing out forgets what lay on the bench.
  const ciphertext = await card("Decrypt").getByLabel("Ciphertext", { exact: true }).inputValue();
  await page.getByRole("button", { name: /^Session of/ }).click();
  await page.getByRole("button", { name: "Sign out", exact: true }).click();
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  await until(async () => !(await remembers(cx, ciphertext)), "the page forgets");
});
