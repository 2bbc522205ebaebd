// Nothing that somebody wrote or typed is lost: not by writing over it unseen, not by leaving, not by beginning with another version.
import { accessible, api, assert, examine, given, go, signIn, story, until } from "./harness.mjs";

await story(async (cx) => {
  const { page } = cx;
  const at = {
    ...cx,
    button: (name) => page.getByRole("button", { name, exact: true }),
    link: (name) => page.getByRole("link", { name, exact: true }),
    value: (key) => page.getByLabel(`Value of ${key}`, { exact: true }),
    async change(key, to) {
      await at.button(`Show and change the value of ${key}`).click();
      await at.value(key).fill(to);
    },
    async confirm(verb) {
      const dialog = page.getByRole("dialog");
      await dialog.getByRole("button", { name: verb, exact: true }).click();
      await dialog.waitFor({ state: "detached" });
    },
  };
  await signIn(cx, given.token, "/secrets/secret/");
  await whatOthersWroteMeanwhile(at);
  await whatWasTyped(at);
  await whereToBegin(at);
  await restoring(at);
  await comparing(at);
  await writingWithoutReading(at);
});

/** A version that came after the values were read is never written over unseen, whatever else was read since. */
async function whatOthersWroteMeanwhile(at) {
  const { page, button, link } = at;
  await write("lost", { a: "1", b: "1" });
  await go(at, "/secrets/secret/team/lost?tab=settings");
  await page.getByLabel("Versions to keep").waitFor();
  await write("lost", { a: "1", b: "THEIRS" });
  await page.getByLabel("Versions to keep").fill("7");
  await button("Save settings").click();
  await page.getByText("The settings are saved").waitFor();
  await link("Values").click();
  await page.getByText("Version 2", { exact: false }).first().waitFor();
  await link("New version").click();
  await at.change("a", "MINE");
  await button("Save").click();
  await page.getByText("Written: version 3").waitFor();
  assert.deepEqual(await valuesOf("lost"), { a: "MINE", b: "THEIRS" });

  // The same, with their version between the answers that the page gets.
  await write("between", { a: "1", b: "1" });
  const read = page.waitForResponse((response) => response.url().includes("/v1/secret/data/team/between"));
  await page.route("**/v1/secret/metadata/team/between", async (route) => {
    await read;
    await write("between", { a: "1", b: "THEIRS" });
    await route.continue();
  });
  const known = page.waitForResponse((response) => response.url().includes("/v1/secret/metadata/team/between"));
  await go(at, "/secrets/secret/team/between");
  await known;
  await page.unroute("**/v1/secret/metadata/team/between");
  await link("New version").click();
  await at.change("a", "MINE");
  await button("Save").click();
  await button("Put both together").click();
  await button("Save").click();
  await page.getByText("Written: version 3").last().waitFor();
  await link("New version").waitFor();
  assert.deepEqual(await valuesOf("between"), { a: "MINE", b: "THEIRS" });
}

/** What is not saved is asked about, whatever the way out, and no more when it is saved. */
async function whatWasTyped(at) {
  const { page, button, link, value } = at;
  const dialog = page.getByRole("dialog", { name: "Leave without saving?" });
  const asks = async (leave, field, typed) => {
    await leave();
    await dialog.getByRole("button", { name: "Cancel" }).click();
    await dialog.waitFor({ state: "detached" });
    assert.equal(await field.inputValue(), typed);
  };
  const back = () => page.goBack();
  const secrets = () => page.getByRole("navigation", { name: "The way here" }).getByRole("link", { name: "Secrets", exact: true }).click();
  await api("POST", "sys/namespaces/elsewhere", {});

  await go(at, "/secrets/secret/?new");
  await page.getByLabel("Name", { exact: true }).fill("team/typed");
  await page.getByLabel("Key of row 1").fill("a");
  await value("a").fill("typed");
  await asks(secrets, value("a"), "typed");
  await asks(back, value("a"), "typed");
  await button("Create").click();
  await page.getByRole("heading", { name: "typed", exact: true }).waitFor();

  await link("New version").click();
  await at.change("a", "typed again");
  await asks(secrets, value("a"), "typed again");
  await asks(back, value("a"), "typed again");
  const another = async () => {
    await page.getByRole("button", { name: "Namespace: root" }).click();
    await page.locator(".menu .item", { hasText: "elsewhere" }).click();
  };
  const signOut = async () => {
    await page.getByRole("button", { name: /^Session of/ }).click();
    await button("Sign out").click();
  };
  await asks(another, value("a"), "typed again");
  await asks(signOut, value("a"), "typed again");
  const [asked] = await Promise.all([page.waitForEvent("dialog"), page.evaluate(() => void setTimeout(() => location.reload()))]);
  assert.equal(asked.type(), "beforeunload");
  await asked.dismiss();
  assert.equal(await value("a").inputValue(), "typed again");
  await button("Save").click();
  await page.getByText("Written: version 2").last().waitFor();

  const most = page.getByLabel("Versions to keep");
  await link("Settings").click();
  await most.fill("8");
  await asks(() => link("Values").click(), most, "8");
  await asks(back, most, "8");
  await button("Save settings").click();
  await page.getByText("The settings are saved").last().waitFor();
  await until(async () => (await api("GET", "secret/metadata/team/typed")).body.data.max_versions === 8, "the settings are written");
  // The toast may be that of before.
  await until(() => button("Save settings").isEnabled(), "saving is over");
  await link("Versions").click();
  await page.getByRole("region", { name: "Versions" }).waitFor();
  assert.equal(await dialog.count(), 0);

  // Settings of what is gone are nothing to ask about.
  await link("Settings").click();
  await most.fill("9");
  await button("Delete for good").click();
  await page.getByLabel("Type team/typed to go on").fill("team/typed");
  await at.confirm("Delete for good");
  await page.getByRole("heading", { name: "team/", exact: true }).waitFor();
  assert.equal(await dialog.count(), 0);
}

/** A new version begins with the values that are looked at; where there are none, with the latest. Deleting is about what is looked at, too. */
async function whereToBegin(at) {
  const { page, button, link } = at;
  await write("old", { a: "1" });
  await write("old", { a: "2", b: "2" });
  await api("POST", "secret/delete/team/old", { versions: [1] });
  await go(at, "/secrets/secret/team/old?version=1");
  await page.getByText("Version 1 was deleted").waitFor();
  await link("To the latest version").waitFor();
  assert.ok(await button("Delete").isDisabled());
  await accessible(at, "a deleted version");
  await link("New version").click();
  await at.change("a", "3");
  await button("Save").click();
  await page.getByText("Written: version 3").last().waitFor();
  await link("New version").waitFor();
  assert.deepEqual(await valuesOf("old"), { a: "3", b: "2" });
  await go(at, "/secrets/secret/team/old?tab=edit&version=1");
  await page.getByText("Version 1 was deleted").waitFor();

  await go(at, "/secrets/secret/team/old?version=2");
  await page.getByText("This is version 2, not the latest one (3).").waitFor();
  await link("New version").click();
  await page.getByText("These are the values of version 2; the latest is 3. What you save replaces it.").waitFor();
  await examine(at, "secrets-edit-older");
  await at.change("b", "4");
  await button("Save").click();
  await page.getByText("Written: version 4").last().waitFor();
  await link("New version").waitFor();
  assert.deepEqual(await valuesOf("old"), { a: "2", b: "4" });

  await go(at, "/secrets/secret/team/old?version=2");
  await page.getByText("This is version 2, not the latest one (4).").waitFor();
  await button("Delete").click();
  await page.getByRole("dialog", { name: "Delete version 2 of team/old?" }).waitFor();
  await at.confirm("Delete");
  await page.getByText("Version 2 was deleted").waitFor();
  assert.deepEqual(await valuesOf("old"), { a: "2", b: "4" });

  await api("POST", "secret/metadata/team/old", { max_versions: 1 });
  await write("old", { a: "5" });
  await go(at, "/secrets/secret/team/old?version=3");
  await page.getByText("Version 3 is not kept any more").waitFor();
  await link("To the latest version").click();
  await page.getByText("Version 5", { exact: false }).first().waitFor();
}

/** Who is late with restoring looks at what is there now, and can go on. */
async function restoring(at) {
  const { page, button } = at;
  await write("back", { a: "1" });
  await write("back", { a: "2" });
  await go(at, "/secrets/secret/team/back?tab=versions");
  await button("Restore version 1").click();
  await write("back", { a: "3" });
  const restore = page.getByRole("dialog").getByRole("button", { name: "Restore", exact: true });
  await restore.click();
  await page.getByText("Somebody wrote version 3 meanwhile. Look at it, then restore again.").waitFor();
  await page.getByText("are written again, as version 4", { exact: false }).waitFor();
  await at.confirm("Restore");
  await page.getByText("Version 1 is version 4 now").waitFor();
  assert.deepEqual(await valuesOf("back"), { a: "1" });
}

/** A version without values is no empty one. */
async function comparing(at) {
  const { page } = at;
  await go(at, "/secrets/secret/team/back?tab=compare&from=1&to=2");
  await page.getByText("changed", { exact: true }).waitFor();
  await api("POST", "secret/delete/team/back", { versions: [3] });
  await page.getByLabel("From version").selectOption("3");
  await page.getByText("Version 3 was deleted.").waitFor();
  await page.getByText("There is nothing to compare").waitFor();
  await examine(at, "secrets-compare-nothing");
  await go(at, "/secrets/secret/team/back?tab=compare&from=99");
  await page.getByText("There is no version 99 yet.").waitFor();
}

/** Who may write and not read says which version is the latest, where that is demanded. */
async function writingWithoutReading(at) {
  const { page, button, link } = at;
  await write("blind", { a: "1" });
  await api("POST", "secret/metadata/team/blind", { cas_required: true });
  await page.reload();
  await signIn(at, given.writer, "/secrets/secret/team/blind");
  await link("New version").click();
  await page.getByLabel("Key of row 1").fill("a");
  await at.value("a").fill("2");
  await button("Save").click();
  await page.getByText("Check-and-set parameter required", { exact: false }).waitFor();
  await page.getByLabel("Latest version").fill("7");
  await button("Save").click();
  await page.getByText("Version 7 is not the latest one. Nothing was written.").waitFor();
  await page.getByLabel("Latest version").fill("1");
  await examine(at, "secrets-edit-blind");
  await button("Save").click();
  await page.getByText("Written: version 2").waitFor();
  assert.deepEqual(await valuesOf("blind"), { a: "2" });
}

function write(name, data) {
  return api("POST", `secret/data/team/${name}`, { data });
}

async function valuesOf(name) {
  return (await api("GET", `secret/data/team/${name}`)).body.data.data;
}
