// Every way of signing in that asks this page for something: what the server lists is offered, the rest is behind "Another method", and
// a refusal says what to do.
import { assert, examine, given, open, picture, story, until } from "./harness.mjs";

const HTML = "<img src=x onerror=document.title='caught'>";

await story(async (cx) => {
  const { page } = cx;
  await whatIsListedIsOffered(cx);
  await ldap(cx);
  await approle(cx);
  await jwt(cx);
  await inANamespace(cx);
  await refusals(cx);
  assert.notEqual(await page.title(), "caught");
});

function method({ page }) {
  return page.getByLabel("Method", { exact: true });
}

function submit({ page }) {
  return page.getByRole("button", { name: "Sign in", exact: true }).click();
}

function refused({ page }, words) {
  return page.getByRole("alert").getByText(words).waitFor();
}

async function whatIsListedIsOffered(cx) {
  await open(cx);
  await until(async () => (await method(cx).inputValue()) === "at:corp", "the first of the listed methods is chosen");
  const offered = await method(cx).locator("option").allTextContents();
  // In order of their paths; what nobody listed is not there, and neither is a kind that a page can not do.
  assert.deepEqual(offered, ["LDAP (corp): the directory", `Username and password (people/staff): ${HTML}`, "Token", "Another method …"]);
  await examine(cx, "sign-in-listed");
}

async function ldap(cx) {
  const { page } = cx;
  await enter(page, { Username: "ann", Password: "not hers" });
  await submit(cx);
  await refused(cx, /Type both again/);
  await examine(cx, "sign-in-refused");
  await page.getByLabel("Password", { exact: true }).fill("ann-word");
  await page.keyboard.press("Enter");
  await arrived(cx, "corp-ann");
  await leave(cx);

  // At a path that is not listed, and with a directory that is away: the server's words, which say that it is not the password.
  await another(cx, "ldap", "away");
  await enter(page, { Username: "ann", Password: "ann-word" });
  await submit(cx);
  await refused(cx, /directory can not be reached/);
  await page.reload();
}

async function approle(cx) {
  const { page } = cx;
  await another(cx, "approle", "machines/eu");
  await page.getByLabel("Role ID").fill(given.roleId);
  await page.getByLabel("Secret ID", { exact: true }).fill("used-up");
  await submit(cx);
  await refused(cx, /make a new one for the role/);
  await page.getByLabel("Secret ID", { exact: true }).fill(given.secretId);
  await picture(cx, "sign-in-approle");
  await submit(cx);
  await arrived(cx, "machines-eu");
  assert.ok(!(await page.content()).includes(given.secretId), "what was typed is not left in the page");
  await leave(cx);
}

async function jwt(cx) {
  const { page } = cx;
  await another(cx, "jwt", "jwt");
  await page.getByLabel("Role", { exact: true }).fill("job");
  await page.getByLabel("Signed token (JWT)").fill(given.expired);
  await submit(cx);
  await refused(cx, /has not ended/);
  await page.getByLabel("Signed token (JWT)").fill(given.jwt);
  await submit(cx);
  await arrived(cx, "jwt-job-1");
  assert.ok(!(await page.content()).includes(given.jwt));
  await leave(cx);
}

async function inANamespace(cx) {
  const { page } = cx;
  await page.getByText("Namespace: root").click();
  await page.getByLabel("Namespace", { exact: true }).fill("nowhere");
  await page.getByText("There is no namespace nowhere").waitFor();
  await page.getByLabel("Namespace", { exact: true }).fill("team/größe");
  await page.locator("option", { hasText: "Username and password (theirs)" }).waitFor({ state: "attached" });
  assert.equal(await method(cx).inputValue(), "at:theirs");
  await enter(page, { Username: "bea", Password: given.password });
  await submit(cx);
  await arrived(cx, "theirs-bea");
  await page.getByRole("button", { name: "Namespace: team/größe/" }).waitFor();
  await leave(cx);
}

async function refusals(cx) {
  const { page } = cx;
  await method(cx).selectOption("at:people/staff");
  for (let attempt = 0; attempt < 5; attempt++) {
    await enter(page, { Username: "ann", Password: `wrong ${attempt}` });
    await submit(cx);
    await refused(cx, /Type both again/);
  }
  // Locked now: the right password does not help, and the page says what it may be.
  await enter(page, { Username: "ann", Password: given.password });
  await submit(cx);
  await refused(cx, /locked after too many wrong attempts/);
  // A path at which nothing is.
  await another(cx, "userpass", "nothing/here");
  await enter(page, { Username: "ann", Password: given.password });
  await submit(cx);
  await refused(cx, /Nothing may be mounted at auth\/nothing\/here\//);
  assert.equal(await page.locator("main#main").count(), 0);
}

async function another(cx, kind, mount) {
  const { page } = cx;
  await method(cx).selectOption("other");
  await page.getByLabel("Kind", { exact: true }).selectOption(kind);
  await page.getByLabel("Mounted at").fill(mount);
}

async function enter(page, fields) {
  for (const [label, value] of Object.entries(fields)) await page.getByLabel(label, { exact: true }).fill(value);
}

async function arrived({ page }, name) {
  await page.getByRole("button", { name: `Session of ${name}` }).waitFor();
  await page.getByRole("heading", { name: "Overview" }).waitFor();
}

async function leave(cx) {
  const { page } = cx;
  await page.getByRole("button", { name: /^Session of/ }).click();
  await page.getByRole("button", { name: "Sign out", exact: true }).click();
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  await until(async () => (await method(cx).inputValue()) === "at:corp", "the page is as new");
}
