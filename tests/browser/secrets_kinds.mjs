// Secrets in places that keep no versions, the settings of a mount that does, and the ways of a token with few rights.
import { accessible, api, assert, examine, fits, given, go, signIn, story, until } from "./harness.mjs";

const MARKUP = "<img src=q onerror=document.title=1>";

await story(async (cx) => {
  const { page } = cx;
  const button = (name) => page.getByRole("button", { name, exact: true });
  const link = (name) => page.getByRole("link", { name, exact: true });
  const main = page.locator("main");
  const crumbs = () => page.getByRole("navigation", { name: "The way here" }).getByRole("link").allInnerTexts();
  const confirm = async (verb) => {
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("button", { name: verb, exact: true }).click();
    await dialog.waitFor({ state: "detached" });
  };
  const command = async () => {
    if (await page.locator("main details.command").last().evaluate((details) => !details.open)) await page.locator("main details.command > summary").last().click();
    return page.locator("main details.command").last().innerText();
  };

  // All kinds of places are listed, each with what it is.
  await api("POST", "sys/mounts/plain", { type: "kv", options: { version: "1" }, description: MARKUP });
  await api("POST", "sys/mounts/team/deep", { type: "kv", options: { version: "1" } });
  await signIn(cx, given.token, "/secrets");
  for (const name of ["plain/", "team/deep/", "cubbyhole/", "secret/"]) await link(name).waitFor();
  assert.equal(await page.locator("main img").count(), 0);
  await examine(cx, "secrets-mounts");

  // The same story in each place without versions: written, shown, changed, contested, deleted.
  for (const { mount, name, put } of [
    { mount: "plain", name: "app/login", put: "coffer kv put -mount=plain app/login" },
    { mount: "team/deep", name: "a & b/ü", put: "coffer kv put -mount=team/deep 'a & b/ü'" },
    { mount: "cubbyhole", name: "note", put: "coffer write cubbyhole/note" },
  ]) {
    const at = `/secrets/${encodeURIComponent(mount)}/`;
    const last = name.split("/").pop();
    const path = `${mount}/${name.split("/").map(encodeURIComponent).join("/")}`;
    await go(cx, at);
    await page.getByRole("heading", { name: `${mount}/`, exact: true }).waitFor();
    assert.equal(await link("Settings of the mount").count(), 0, "a place without versions has no such settings");
    await link("Create a secret").click();
    assert.deepEqual(await crumbs(), ["Secrets", mount]);
    await page.getByLabel("Name", { exact: true }).fill(name);
    await page.getByLabel("Key of row 1").fill("user");
    await page.getByLabel("Value of user", { exact: true }).fill("ann");
    await page.getByRole("tab", { name: /^JSON/ }).click();
    await page.getByLabel("Values as JSON").fill(`{"user": "ann", "big": 18446744073709551615, "list": [1, {"a": null}], "html": ${JSON.stringify(MARKUP)}}`);
    const words = await command();
    assert.ok(words.includes(put) && !words.includes("ann") && !words.includes("1844"), words);
    await button("Create").click();
    await page.getByRole("heading", { name: last, exact: true }).waitFor();
    assert.equal(await page.getByRole("navigation", { name: "Parts of the secret" }).count(), 0, "there are no versions");
    assert.ok(!(await main.innerText()).includes("ann"), "a value is shown unasked");
    await button("Show all").click();
    await page.getByText("18446744073709551615").waitFor();
    assert.equal(await page.locator("main img").count(), 0);
    assert.ok(!(await command()).includes("1844"));
    await examine(cx, `secrets-${mount.replace("/", "-")}`);

    // Someone else writes meanwhile: nothing of theirs is lost, though there is no check-and-set.
    await link("Edit").click();
    await button("Show and change the value of user").click();
    await page.getByLabel("Value of user", { exact: true }).fill("mine");
    await api("POST", path, { user: "ann", more: "2" });
    await button("Save").click();
    await page.getByText("Somebody else wrote meanwhile").waitFor();
    await button("Put both together").click();
    await button("Save").click();
    await page.getByText(`Written: ${name}`).last().waitFor();
    await page.getByRole("link", { name: "Edit", exact: true }).waitFor();
    const now = (await api("GET", path)).body.data;
    assert.equal(now.user, "mine");
    assert.equal(now.more, "2");

    // Creating never writes over what is there.
    await go(cx, `${at}?new`);
    await page.getByLabel("Name", { exact: true }).fill(name);
    await page.getByLabel("Key of row 1").fill("user");
    await page.getByLabel("Value of user", { exact: true }).fill("other");
    await button("Create").click();
    await page.getByText(`There is a secret at ${name} already`).waitFor();
    assert.equal((await api("GET", path)).body.data.user, "mine");
    await link("Open it").click();
    await page.getByText("Leave without saving?").waitFor();
    await confirm("Leave");
    await page.getByRole("heading", { name: last, exact: true }).waitFor();

    // Found by its name; deleted for good.
    await go(cx, at);
    await page.getByLabel("Search by name, in this folder and below").fill(last);
    await page.getByText(/^1 found/).waitFor();
    await page.locator(".kv-names a").click();
    await page.getByRole("heading", { name: last, exact: true }).waitFor();
    await button("Delete").click();
    await page.getByText("It is gone for good: this place keeps no versions.").waitFor();
    await confirm("Delete");
    await page.getByText(`Deleted: ${name}`).waitFor();
    assert.equal((await api("GET", path)).status, 404);
  }

  // A field `ttl` tells readers how long they may go by it, and the page says so.
  await api("POST", "plain/short", { ttl: "90m", a: "b" });
  await go(cx, "/secrets/plain/short");
  await page.getByText("read again every 1h 30m").waitFor();

  // What holds for all secrets of a mount with versions.
  await go(cx, "/secrets/secret/");
  await link("Settings of the mount").click();
  await page.getByLabel("Versions to keep").fill("2");
  await page.getByLabel("Versions delete themselves after").fill("soon");
  await button("Save").click();
  await page.getByRole("alert").waitFor();
  await page.getByLabel("Versions delete themselves after").fill("1h");
  await page.getByLabel(/^Writing needs check-and-set/).check();
  await examine(cx, "secrets-mount-settings");
  assert.ok((await command()).includes("coffer write secret/config max_versions=2 delete_version_after=1h cas_required=true"));
  await button("Save").click();
  await page.getByText("The settings are saved").waitFor();
  const config = (await api("GET", "secret/config")).body.data;
  assert.deepEqual([config.max_versions, config.delete_version_after, config.cas_required], [2, "1h0m0s", true]);
  assert.equal((await api("POST", "secret/data/unchecked", { data: {} })).status, 400);
  // What is not saved is asked about.
  await until(() => button("Save").isDisabled(), "the form has what was saved");
  await page.getByLabel("Versions to keep").fill("7");
  await link("secret").click();
  await page.getByText("Leave without saving?").waitFor();
  await confirm("Leave");
  await page.getByRole("heading", { name: "secret/", exact: true }).waitFor();

  // They hold: the page writes with check-and-set, versions delete themselves, and older ones go.
  await link("Create a secret").click();
  await page.getByLabel("Name", { exact: true }).fill("shop/db");
  await page.getByLabel("Key of row 1").fill("user");
  await page.getByLabel("Value of user", { exact: true }).fill("ann");
  await button("Create").click();
  await page.getByText("deletes itself", { exact: true }).waitFor();
  await page.locator(".ring").first().waitFor();
  for (const value of ["bob", "eve"]) {
    await link("New version").click();
    await button("Show and change the value of user").click();
    await page.getByLabel("Value of user", { exact: true }).fill(value);
    await button("Save").click();
    await link("New version").waitFor();
  }
  await link("Versions").click();
  await page.getByRole("region", { name: "Versions" }).locator("tbody tr").nth(1).waitFor();
  assert.equal(await page.getByRole("region", { name: "Versions" }).locator("tbody tr").count(), 2, "only two versions are kept");
  assert.deepEqual(await crumbs(), ["Secrets", "secret", "shop"]);
  // A value is copied without being shown.
  await link("Values").click();
  await cx.context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await button("Copy user").click();
  await button("Copied").waitFor();
  assert.ok(!(await main.innerText()).includes("eve"));
  // The dashboard itself may not read the clipboard, so another page of the same origin does.
  const reader = await cx.context.newPage();
  await reader.goto(`${given.addr}/v1/sys/health`);
  await reader.bringToFront();
  assert.equal(await until(() => reader.evaluate(() => navigator.clipboard.readText()), "the value is in the clipboard"), "eve");
  await reader.close();

  // Settings of one secret where changing them needs check-and-set, too.
  await api("POST", "secret/config", { metadata_cas_required: true });
  await link("Settings").click();
  await page.getByLabel("Versions to keep").fill("5");
  await button("Save settings").click();
  await page.getByText("The settings are saved").last().waitFor();
  await until(async () => (await api("GET", "secret/metadata/shop/db")).body.data.max_versions === 5, "settings with check-and-set");

  // A token that may create `…/config` in each folder, which no listed rule says; the form asks for the name.
  await page.reload();
  await signIn(cx, given.maker, "/secrets/secret/");
  await link("shop/").waitFor();
  await link("Create a secret").click();
  await page.getByLabel("Name", { exact: true }).fill("shop/other");
  await page.getByText("Your token lacks create on secret/data/shop/other").waitFor();
  await accessible(cx, "a name that may not be written");
  await fits(cx, "a name that may not be written");
  assert.ok(await button("Create").isDisabled());
  await page.getByLabel("Name", { exact: true }).fill("shop/config");
  await page.getByText("Your token lacks").waitFor({ state: "detached" });
  await page.getByLabel("Key of row 1").fill("a");
  await page.getByLabel("Value of a", { exact: true }).fill("b");
  await page.locator("button[type=submit]:enabled", { hasText: "Create" }).click();
  await page.getByText("Written: shop/config").waitFor();
  assert.equal((await api("GET", "secret/data/shop/config")).body.data.data.a, "b");
  await go(cx, "/secrets/secret/?settings");
  await page.getByText("Your token may not see the settings of this mount").waitFor();
});
