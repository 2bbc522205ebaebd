// The life of a database credential: issued, counted down, verified, renewed, revoked and refused; and those of others, as they come and go.
import { api, assert, examine, given, go, remembers, signIn, story, until } from "./harness.mjs";

const MARKUP = "<img src=q onerror=document.title=1>";

await story(async (cx) => {
  const { page } = cx;
  const button = (name, within = page) => within.getByRole("button", { name, exact: true });
  const dialog = page.getByRole("dialog");
  const agree = async (verb, typed) => {
    if (typed) await dialog.getByLabel(`Type ${typed} to go on`).fill(typed);
    await button(verb, dialog).click();
    await dialog.waitFor({ state: "detached" });
  };
  const card = (id) => page.locator(`.cred-card[data-lease="${id}"]`);
  /** Issues of a role; the lease. */
  const issue = async (role) => {
    await page.getByLabel("Role", { exact: true }).waitFor();
    const before = await page.locator(".cred-card").count();
    await page.getByLabel("Role", { exact: true }).selectOption(role);
    await page.locator("main").getByText(role === "gone" ? "lives 10s" : "A new user of the database pg").waitFor();
    await button("Issue a credential").click();
    await page.waitForFunction((before) => document.querySelectorAll(".cred-card").length === before + 1, before);
    return page.locator(".cred-card").first().getAttribute("data-lease");
  };
  const becomes = (id, state) => page.locator(`.cred-card[data-lease="${id}"][data-state="${state}"]`).waitFor();
  const row = (id, state) => page.locator(`[data-lease="${id}"][data-state="${state}"]`);
  const made = async (role) => (await api("GET", `database/creds/${role}`)).body;

  // Nothing is there at first.
  await signIn(cx, given.token, "/credentials");
  await page.getByText("You have issued nothing yet").waitFor();
  await examine(cx, "credentials-empty");

  // A credential: its time runs, its password is copied without being in the page.
  const first = await issue("app");
  await card(first).getByText("alive").waitFor();
  const words = await card(first).locator(".ring .words").innerText();
  await page.waitForFunction(([id, words]) => document.querySelector(`[data-lease="${id}"] .ring .words`).textContent !== words, [first, words]);
  await cx.context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await button("Copy the password without showing it", card(first)).click();
  // The dashboard itself may not read the clipboard, so another page of the same origin does.
  const reader = await cx.context.newPage();
  await reader.goto(`${given.addr}/v1/sys/health`);
  const password = await until(() => reader.evaluate(() => navigator.clipboard.readText()), "the password is in the clipboard");
  await reader.close();
  assert.ok(!(await page.content()).includes(password), "the password is in the page");
  const username = await card(first).locator(".cred-facts dd").first().innerText();

  // The database lets it in.
  await button("Verify against the database", card(first)).click();
  await card(first).getByText("PostgreSQL accepts this login").waitFor();
  await examine(cx, "credentials-live");

  // Renewed here, and by somebody else.
  await card(first).getByLabel(`Renew ${username} by`).fill("5m");
  await button("Renew", card(first)).click();
  await card(first).getByText("Renewed for 5m").waitFor();
  assert.match(await card(first).locator(".ring .words").innerText(), /^(5:00|4:5\d)$/);
  await api("POST", "sys/leases/renew", { lease_id: first, increment: "7m" });
  await card(first).getByText("Renewed for 7m").waitFor();

  // Revoked here: the login is refused in that moment, and the password forgotten.
  await button("Revoke", card(first)).click();
  await agree("Revoke");
  await becomes(first, "revoked");
  await card(first).getByText("PostgreSQL refuses this login").waitFor();
  await card(first).getByText("forgotten; it has ended").waitFor();
  assert.equal(await card(first).locator(".ring").count(), 0);
  cx.told.ended = [{ username, password }];

  // One whose time is over: amber, red, ended, without anybody doing anything.
  const short = await issue("short");
  const colours = Promise.all([".ring.warn", ".ring.bad"].map((tone) => card(short).locator(tone).waitFor()));
  colours.catch(() => {}); // It is awaited below.
  await button("Verify against the database", card(short)).click();
  await card(short).getByText("PostgreSQL accepts this login").waitFor();
  await colours;
  await becomes(short, "expired");
  await card(short).getByText("PostgreSQL refuses this login").waitFor();
  // One that is revoked by somebody else; verified only afterwards.
  const theirs = await issue("app");
  await api("POST", "sys/leases/revoke", { lease_id: theirs });
  await becomes(theirs, "revoked");
  await button("Verify against the database", card(theirs)).click();
  await card(theirs).getByText("PostgreSQL refuses this login").waitFor();
  await examine(cx, "credentials-ended");
  // One that ends while another screen is looked at.
  const away = await issue("app");
  await go(cx, "/secrets");
  await page.getByRole("heading", { name: "Secrets" }).waitFor();
  await api("POST", "sys/leases/revoke", { lease_id: away });
  await go(cx, "/credentials");
  await becomes(away, "revoked");
  await button("Put away what has ended").click();
  await page.getByText("You have issued nothing yet").waitFor();

  // Names are inert.
  const odd = await issue(MARKUP);
  await card(odd).getByRole("heading", { name: MARKUP }).waitFor();
  assert.equal(await page.locator("main img").count(), 0);
  await page.getByRole("link", { name: "Live leases of this role" }).click();
  await row(odd, "live").waitFor();
  await page.getByText("issued here").waitFor();
  assert.equal(await page.locator("main img").count(), 0);
  assert.notEqual(await page.title(), "1");

  // Leases of others: they come, are renewed, and end while one looks.
  await go(cx, "/credentials/leases");
  await page.getByRole("link", { name: "database/creds/" }).or(page.getByRole("link", { name: /^database\/creds\/app/ })).first().waitFor();
  await made("app");
  await page.getByRole("link", { name: "database/creds/app/", exact: true }).click();
  await page.getByText("live", { exact: true }).waitFor();
  const { lease_id: other } = await made("app");
  const { lease_id: third } = await made("app");
  await row(other, "live").waitFor();
  await row(third, "live").waitFor();
  await button(`Renew ${other}`).click();
  await page.getByText("The lease was extended").waitFor();
  await examine(cx, "credentials-leases");
  await button(`Revoke ${other}`).click();
  await agree("Revoke");
  await row(other, "revoked").waitFor();
  await button("Revoke all of app/").click();
  assert.ok(await button("Revoke all", dialog).isDisabled());
  await agree("Revoke all", "database/creds/app");
  await row(third, "revoked").waitFor();
  const left = () => api("GET", "sys/leases/lookup/database/creds/app/?list=true");
  assert.equal((await left()).status, 404);

  // More than are shown at once.
  for (let n = 0; n < 26; n++) await Promise.all(Array.from({ length: 8 }, () => made("app")));
  await go(cx, "/credentials/leases");
  await page.getByRole("link", { name: "database/creds/app/", exact: true }).click();
  await page.getByText("8 more are alive").waitFor();
  assert.equal(await page.locator('[data-lease][data-state="live"]').count(), 200);
  await button("Revoke all of app/").click();
  await agree("Revoke all", "database/creds/app");
  await until(async () => (await page.locator('[data-lease][data-state="live"]').count()) === 0, "all are seen to end");
  assert.equal((await left()).status, 404);

  // One that the database does not let go: said with its reason, mended in its role, then revoked.
  const { lease_id: stuck } = await made("stuck");
  await go(cx, "/credentials/leases/database/creds/stuck/");
  await row(stuck, "live").waitFor();
  await button(`Revoke ${stuck}`).click();
  await button("Revoke", dialog).click();
  await dialog.getByRole("alert").waitFor();
  await button("Cancel", dialog).click();
  await page.getByText(/not revoked, tried \d+ time/).waitFor();
  for (let n = 0; n < 6; n++) await api("POST", "sys/leases/revoke", { lease_id: stuck });
  await page.getByText("1 could not be revoked").waitFor();
  await examine(cx, "credentials-irrevocable");
  await go(cx, "/credentials/roles/edit/stuck?engine=database");
  await page.getByLabel("Statements that remove a user").fill("");
  await button("Save").click();
  await page.getByText("The role stuck is saved").waitFor();
  await page.getByRole("link", { name: "Live leases" }).last().click();
  // The server tries again by itself, and may be quicker than a press of the button.
  await until(async () => (await api("POST", "sys/leases/lookup", { lease_id: stuck })).status === 400 || (await api("POST", "sys/leases/revoke", { lease_id: stuck })).status < 300, "the lease is revoked");
  await page.getByText("1 could not be revoked").waitFor({ state: "detached" });

  // Roles: made by a form, read, deleted.
  await go(cx, "/credentials/roles");
  await page.getByRole("link", { name: "app", exact: true }).waitFor();
  await examine(cx, "credentials-roles");
  await page.getByRole("link", { name: "Create a role" }).click();
  await page.getByLabel("Name", { exact: true }).fill("gone");
  await page.getByLabel("Connection", { exact: true }).selectOption("pg");
  await page.getByLabel("Lives", { exact: true }).fill("10s");
  await examine(cx, "credentials-role-form");
  await button("Create").click();
  await page.getByText("The role gone is created").waitFor();
  await page.getByText("CREATE ROLE").first().waitFor();
  await examine(cx, "credentials-role");
  await page.getByRole("link", { name: "Issue a credential" }).click();
  const made_here = await issue("gone");
  await button("Revoke", card(made_here)).click();
  await agree("Revoke");
  await go(cx, "/credentials/roles/at/gone?engine=database");
  await button("Delete").click();
  await agree("Delete");
  await page.getByText("The role gone is deleted").waitFor();
  assert.equal((await api("GET", "database/roles/gone")).status, 404);

  // Static roles: the next rotation counts down, one is asked for, the password stays hidden.
  await go(cx, "/credentials/static");
  await page.getByText("reporting").first().waitFor();
  const before = (await api("GET", "database/static-creds/reporting")).body.data.password;
  await button("Rotate now: reporting").click();
  await agree("Rotate");
  await page.getByText("reporting has a new password").waitFor();
  const after = (await api("GET", "database/static-creds/reporting")).body.data.password;
  assert.notEqual(before, after);
  await examine(cx, "credentials-static");
  await button("Credential of reporting").click();
  await dialog.getByText("Good for").waitFor();
  assert.ok(!(await page.content()).includes(after), "the password of a static role is shown unasked");
  await button("Show the password", dialog).click();
  await dialog.getByText(after).waitFor();
  await page.keyboard.press("Escape");
  // One that becomes due by itself rings anew without a reload.
  const rotated = () => page.locator("tr", { hasText: "hasty" }).locator("td").nth(2).innerText();
  const last = await rotated();
  await until(async () => (await rotated()) !== last, "a rotation is seen as it happens");

  // Connections: tried, reset, given a password that nobody knows.
  await go(cx, "/credentials/connections");
  await button("Try pg").click();
  await page.getByText("answers", { exact: true }).waitFor();
  await button("Try dead").click();
  await page.getByText("does not answer", { exact: true }).waitFor();
  await button("Reset pg").click();
  await page.getByText("The connections of pg are closed").waitFor();
  await examine(cx, "credentials-connections");
  await button("Rotate root password of kept").click();
  await agree("Rotate");
  await page.getByText("The user of kept has a new password").waitFor();
  await button("Try kept").click();
  await page.locator("tr", { hasText: "kept" }).getByText("answers", { exact: true }).waitFor();

  // A card acts in its own namespace, wherever one is.
  await go(cx, "/credentials");
  await button("Put away what has ended").click();
  const far = await issue("app");
  await page.getByRole("button", { name: /^Namespace/ }).first().click();
  await page.locator(".menu .item", { hasText: "team" }).click();
  await go(cx, "/credentials");
  await page.getByText("No database engine is open to this token").waitFor();
  await card(far).getByText("in the root").waitFor();
  await button("Verify against the database", card(far)).click();
  await card(far).getByText("PostgreSQL accepts this login").waitFor();
  await examine(cx, "credentials-no-engine");
  await button("Revoke", card(far)).click();
  await agree("Revoke");
  await card(far).getByText("PostgreSQL refuses this login").waitFor();
  assert.equal((await api("POST", "sys/leases/lookup", { lease_id: far })).status, 400);

  // Signing out forgets.
  await page.getByRole("button", { name: /^Namespace/ }).first().click();
  await page.locator(".menu .item", { hasText: "root" }).click();
  await go(cx, "/credentials");
  const kept = await issue("app");
  await button("Copy the password without showing it", card(kept)).click();
  const again = await cx.context.newPage();
  await again.goto(`${given.addr}/v1/sys/health`);
  const secret = await until(async () => {
    const text = await again.evaluate(() => navigator.clipboard.readText());
    return text !== password && text;
  }, "the other password is in the clipboard");
  await again.close();
  assert.ok(await remembers(cx, secret), "the look at the page's memory sees what is there");
  await page.getByRole("button", { name: /^Session of/ }).click();
  await page.getByRole("button", { name: "Sign out", exact: true }).click();
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  assert.ok(!(await remembers(cx, secret)), "the page remembers a password after signing out");
});
