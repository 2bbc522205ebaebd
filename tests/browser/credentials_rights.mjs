// Dynamic credentials for tokens that may little: what they may is offered, the rest is left out or explained, and nothing is asked in vain.
import { api, assert, examine, given, go, signIn, story } from "./harness.mjs";

await story(async (cx) => {
  const { page } = cx;
  const button = (name) => page.getByRole("button", { name, exact: true });
  const refused = [];
  page.on("response", (response) => response.status() === 403 && refused.push(response.url()));

  // May issue of one role, and nothing else: no list of roles, no events, no verifying, no revoking.
  await signIn(cx, given.issuer, "/credentials");
  await page.getByLabel("Role", { exact: true }).fill("app");
  await page.getByText("How long it lives is up to the role.").waitFor();
  await button("Issue a credential").click();
  const card = page.locator(".cred-card");
  await card.getByText("alive").waitFor();
  await card.getByText("its database is not known").waitFor();
  assert.equal(await card.getByRole("button", { name: "Verify against the database" }).count(), 0);
  assert.ok(await card.getByRole("button", { name: "Revoke", exact: true }).isDisabled());
  assert.deepEqual(refused, [], "a request was made that is refused");
  await examine(cx, "credentials-issuer");
  // Without events, a look every few seconds finds the end.
  const lease = await card.getAttribute("data-lease");
  await api("POST", "sys/leases/revoke", { lease_id: lease });
  await page.locator('.cred-card[data-state="revoked"]').waitFor();

  // One lease may be looked at, not all.
  await go(cx, "/credentials/leases");
  await page.getByText("Your token may not see the leases here").waitFor();
  const other = (await api("GET", "database/creds/app")).body.lease_id;
  await page.getByLabel("Look at one lease by its id").fill(other);
  await button("Look").click();
  await page.locator(`[data-lease="${other}"][data-state="live"]`).waitFor();
  await button(`Revoke ${other}`).and(page.locator(":disabled")).waitFor();
  await go(cx, "/credentials/roles");
  await page.getByText("Your token may not see the roles").waitFor();
  await examine(cx, "credentials-refused");

  // May verify as well, if it says where.
  await page.reload();
  await signIn(cx, given.verifier, "/credentials");
  await page.getByLabel("Role", { exact: true }).fill("app");
  await page.getByLabel("Connection", { exact: true }).fill("pg");
  await button("Issue a credential").click();
  await button("Verify against the database").click();
  await page.getByText("The database accepts this login").waitFor();

  // May nothing at all.
  await page.reload();
  await signIn(cx, given.nobody, "/credentials");
  await page.getByText("No database engine is open to this token").waitFor();
});
