// Master keys: made, named, used, rotated and given up, by somebody with all rights, and by those with few.
import { api, assert, examine, given, go, remembers, signIn, story, until } from "./harness.mjs";

const MARKUP = "<img src=q onerror=document.title=1>";
const CARD = "card 4111-2222 <b>";

await story(async (cx) => {
  const { page } = cx;
  const button = (name) => page.getByRole("button", { name, exact: true });
  const link = (name) => page.getByRole("link", { name, exact: true });
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

  await signIn(cx, given.token, "/kms");
  await page.getByText("No kms engine is open to this token").waitFor();
  await api("POST", "sys/mounts/kms", { type: "kms" });
  await go(cx, "/");
  await page.getByRole("navigation", { name: "Areas" }).getByRole("link", { name: "Master keys" }).click();
  await link("kms/").click();
  await page.getByText("There is no master key yet").waitFor();

  // A key with a name; a name that is taken leaves the key, and asks for another one.
  await button("New master key").click();
  await page.getByLabel("Alias", { exact: true }).fill("no good");
  await page.getByText("Letters, digits, _ - and /").waitFor();
  await page.getByLabel("Alias", { exact: true }).fill("team/app");
  await page.getByLabel("Description", { exact: true }).fill(MARKUP);
  await examine(cx, "kms-new-key");
  await button("Create").click();
  await link("alias/team/app").waitFor();
  await page.getByRole("heading", { name: "alias/team/app", exact: true }).waitFor();
  const id = decodeURIComponent(new URL(page.url()).hash.split("/").pop());
  await button("Add an alias").click();
  await page.getByLabel("Alias", { exact: true }).fill("team/app");
  await page.getByRole("dialog").getByRole("button", { name: "Add", exact: true }).click();
  await page.getByRole("dialog").getByRole("alert").waitFor();
  await page.getByLabel("Alias", { exact: true }).fill("second");
  await page.getByRole("dialog").getByRole("button", { name: "Add", exact: true }).click();
  await link("alias/second").waitFor();
  await page.getByLabel("Tag", { exact: true }).fill("owner");
  await page.getByLabel("Value", { exact: true }).fill(MARKUP);
  await card("Tags").getByRole("button", { name: "Add", exact: true }).click();
  await card("Tags").getByText("owner", { exact: true }).waitFor();
  await card("The key").getByLabel("Description").fill("of the app <b>");
  await card("The key").getByRole("button", { name: "Save" }).click();
  await page.getByText("The description is saved").waitFor();
  assert.equal(await page.locator("main img, main b").count(), 0);
  await examine(cx, "kms-key");
  await button("Remove alias/second").click();
  await confirm("Remove");
  await link("alias/second").waitFor({ state: "detached" });
  await button("Remove the tag owner").click();
  await page.getByText("No tags").waitFor();

  // Encrypt and decrypt, bound to a context.
  await link("Encrypt and decrypt").click();
  await card("Encrypt").getByLabel("Plaintext", { exact: true }).fill(CARD);
  await card("Encrypt").getByLabel("Encryption context").fill("table=orders\nrow=<7>");
  await press("Encrypt");
  await button("Decrypt this").click();
  await press("Decrypt");
  await page.getByRole("img", { name: "Plaintext, hidden" }).waitFor();
  await button("Show the plaintext").click();
  assert.equal(await card("Decrypt").locator(".code pre").first().innerText(), CARD);
  const all = await commands();
  assert.ok(all.includes(`coffer kms encrypt -key=${id} -context=table=orders '-context=row=<7>' plaintext.txt`), all);
  assert.ok(!all.includes("4111-2222") && !all.includes(Buffer.from(CARD).toString("base64")), "a plaintext is in a command");
  await examine(cx, "kms-encrypt");
  await card("Decrypt").getByLabel("Encryption context").fill("table=users");
  await press("Decrypt");
  await card("Decrypt").getByRole("alert").waitFor();
  await card("Decrypt").getByLabel("Encryption context").fill("table=orders\nrow=<7>");

  // New material; what was encrypted is read on, and brought to it without being seen.
  await link("Rotation").click();
  await button("Rotate now").click();
  await confirm("Rotate");
  await page.getByText("New material encrypts from now on").waitFor();
  await page.getByText("decrypts", { exact: true }).waitFor();
  await page.getByLabel("Rotate it by itself").check();
  await page.getByLabel("Every so many days").fill("30");
  await page.getByText("90 to 2,560 days.").waitFor();
  await page.getByLabel("Every so many days").fill("90");
  await button("Save").click();
  await page.getByText("The calendar is saved").waitFor();
  await page.getByText("Next", { exact: true }).waitFor();
  await examine(cx, "kms-rotation");
  await link("Re-encrypt").click();
  await page.getByLabel("Encrypt it with").fill("alias/team/app");
  await page.getByLabel("Context from now on").fill("table=archive");
  await page.locator("button[type=submit]:enabled", { hasText: "Re-encrypt" }).click();
  await button("Go on with this").click();
  await examine(cx, "kms-re-encrypt");
  await link("Encrypt and decrypt").click();
  assert.equal(await card("Decrypt").getByLabel("Encryption context").inputValue(), "table=archive");
  await press("Decrypt");
  await button("Show the plaintext").click();
  assert.equal(await card("Decrypt").locator(".code pre").first().innerText(), CARD);

  // A data key.
  await link("Data key").click();
  await press("Data key", "Make a data key");
  await page.getByRole("img", { name: "Data key, hidden" }).waitFor();
  await examine(cx, "kms-data-key");

  // Keys that sign, and keys that make codes.
  await go(cx, "/kms/kms");
  await button("New master key").click();
  await page.getByLabel("Alias", { exact: true }).fill("releases");
  await page.getByLabel("Kind", { exact: true }).selectOption("ECC_NIST_P256");
  await button("Create").click();
  await page.getByText("BEGIN PUBLIC KEY").waitFor();
  assert.equal(await link("Rotation").count() + (await link("Encrypt and decrypt").count()), 0, "what does not fit the kind is offered");
  await examine(cx, "kms-pair");
  await link("Sign and verify").click();
  await card("Sign").getByLabel("Message", { exact: true }).fill("release 1");
  await press("Sign");
  await button("Verify this").click();
  await press("Verify");
  await page.getByText("Valid: the signature is of this key").waitFor();
  await examine(cx, "kms-sign");
  await card("Verify").getByLabel("Message", { exact: true }).fill("release 2");
  await press("Verify");
  await page.getByText("Not valid: the signature").waitFor();
  const codes = (await api("POST", "kms/keys", { key_spec: "HMAC_256", key_usage: "GENERATE_VERIFY_MAC" })).body.data.key_id;
  await go(cx, `/kms/kms/${codes}?tab=mac`);
  await card("Make a MAC").getByLabel("Message", { exact: true }).fill("message");
  await press("Make a MAC", "Make the MAC");
  await button("Verify this").click();
  await press("Verify a MAC", "Verify the MAC");
  await page.getByText("Valid: the MAC is of this key").waitFor();
  await card("Verify a MAC").getByLabel("Message", { exact: true }).fill("massage");
  await press("Verify a MAC", "Verify the MAC");
  await page.getByText("Not valid: the MAC").waitFor();

  // Out of use, in use again, and given up with time to think again.
  await link("Key").click();
  await button("Disable").click();
  await confirm("Disable");
  await page.getByText("It is disabled", { exact: true }).waitFor();
  await link("MAC").click();
  await page.getByText("It is disabled, and refused until").waitFor();
  await link("Key").click();
  await button("Enable").click();
  await confirm("Enable");
  await page.getByText("It is enabled", { exact: true }).waitFor();
  await page.getByLabel("Days to think again").fill("3");
  await page.getByText("7 to 30 days.").waitFor();
  await page.getByLabel("Days to think again").fill("7");
  await button("Schedule deletion").click();
  await examine(cx, "kms-delete");
  await confirm("Schedule deletion", "delete");
  await page.getByText("It will be deleted on").waitFor();
  await button("Cancel the deletion").click();
  await confirm("Keep the key");
  await page.getByText("It stays, disabled").waitFor();
  assert.equal((await api("GET", `kms/keys/${codes}`)).body.data.key_state, "Disabled");

  // The list, and random bytes.
  await go(cx, "/kms/kms");
  await link("alias/team/app").waitFor();
  await examine(cx, "kms-keys");
  await page.getByLabel("Search by alias, description or id").fill("releases");
  await link("alias/team/app").waitFor({ state: "detached" });
  await link("alias/releases").waitFor();
  await link("Random bytes").click();
  await press("Random bytes", "Make random bytes");
  await button("Show the random bytes").waitFor();

  // More than a page.
  await Promise.all(Array.from({ length: 105 }, (_, at) => api("POST", "kms/keys", { description: `many ${at}` })));
  await go(cx, "/kms/kms");
  await button("Show more").click();
  await button("Show more").waitFor({ state: "detached" });
  assert.equal(await page.getByRole("region", { name: "Master keys" }).locator("tbody tr").count(), 108);

  // A program's token: it may encrypt by one name, and nothing else.
  await api("POST", "kms/aliases/app", { target_key_id: id });
  await page.reload();
  await signIn(cx, given.writer, "/kms/kms");
  await page.getByText("Your token may not see the master keys").waitFor();
  await until(() => button("New master key").isDisabled(), "a key can not be made");
  await page.getByLabel("Open a key by its id or alias").fill("alias/app");
  await button("Open").click();
  await page.getByText("Your token may use this key, and not look at it").waitFor();
  await page.getByRole("heading", { name: "alias/app", exact: true }).waitFor();
  await card("Encrypt").getByLabel("Plaintext", { exact: true }).fill(CARD);
  await press("Encrypt");
  await button("Decrypt this").click();
  assert.ok(await card("Decrypt").getByRole("button", { name: "Decrypt", exact: true }).isDisabled());
  assert.equal(await link("Data key").count() + (await link("Rotation").count()), 0);
  await examine(cx, "kms-few-rights");

  const ciphertext = await card("Decrypt").getByLabel("Ciphertext", { exact: true }).inputValue();
  await page.getByRole("button", { name: /^Session of/ }).click();
  await page.getByRole("button", { name: "Sign out", exact: true }).click();
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  await until(async () => !(await remembers(cx, ciphertext)), "the page forgets");
});
