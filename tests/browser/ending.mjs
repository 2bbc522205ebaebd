// What becomes of an open page when its token ends, the server goes away, is sealed, or only stumbles; and what is asked before something
// unsaved is lost. `control` starts and kills the server.
import { accessible, api, assert, examine, given, go, picture, remembers, signIn, story, until } from "./harness.mjs";

const SECRET = "the-value-that-was-read";

await story(async (cx) => {
  await beforeTheEnd(cx);
  await theTokenEnds(cx);
  await whatIsShownOnceStays(cx);
  await theServerGoesAway(cx);
  await theServerIsSealed(cx);
  await noAnswerIsNoRefusal(cx);
  await whoMayNotAskMayTry(cx);
  await nothingUnsavedIsLostUnasked(cx);
});

/** A token that ends soon says so on every screen, and can be renewed there. */
async function beforeTheEnd(cx) {
  const { page } = cx;
  await signIn(cx, await tokenOf({ period: "100s" }), "/secrets");
  await page.getByText(/^Your token ends in 1m/).waitFor();
  await examine(cx, "token-ends-soon");
  await page.getByRole("button", { name: "Renew it" }).click();
  await page.getByText(/^The token lives another 1m/).waitFor();
  await signOut(cx);
  // However soon somebody asks, and from the menu as well.
  await signIn(cx, await tokenOf({ period: "100s" }), "/secrets");
  await page.getByRole("button", { name: "Renew it" }).click();
  await page.getByText(/^The token lives another 1m/).waitFor();
  await signOut(cx);
  // At the end of all its life nothing renews it: that is said instead of a success.
  await signIn(cx, await tokenOf({ ttl: "90s", explicit_max_ttl: "90s" }));
  await page.getByRole("button", { name: "Renew it" }).click();
  const told = page.getByText(/It lives as long as it may/);
  await told.waitFor();
  await page.getByRole("button", { name: /^Session of/ }).click();
  await page.getByRole("button", { name: "Renew this token" }).click();
  await until(async () => (await told.count()) === 2, "the menu says the same");
  await signOut(cx);
}

/** Nothing of what was read is left but the place, and whoever signs in again goes on there. */
async function theTokenEnds(cx) {
  const { page } = cx;
  await signIn(cx, await tokenOf({ ttl: "10s" }), "/secrets/secret/app");
  await page.getByRole("button", { name: "Show word" }).click();
  await page.getByText(SECRET).waitFor();
  await page.getByText(/Your token has ended or was revoked/).waitFor();
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  await picture(cx, "token-has-ended");
  assert.ok(!(await page.content()).includes(SECRET), "what was read is still in the page");
  assert.ok(!(await remembers(cx, SECRET)), "what was read is still in memory");
  assert.ok(page.url().endsWith("#/secrets/secret/app"), page.url());
  await signInHere(cx, given.token);
  await page.getByRole("heading", { name: "app" }).waitFor();
  assert.equal(await page.getByText(/has ended/).count(), 0);
}

/** What is shown once outlives its session: it goes when somebody says that they have it, and then the session ends. */
async function whatIsShownOnceStays(cx) {
  const { page } = cx;
  await page.reload();
  const token = await tokenOf({ policies: ["root"], ttl: "15s" });
  await signIn(cx, token, "/access/tokens");
  await page.getByRole("button", { name: "New token" }).click();
  await page.getByRole("button", { name: "Create", exact: true }).click();
  const made = page.getByRole("dialog", { name: "The new token" });
  await made.waitFor();
  await until(async () => (await api("GET", "auth/token/lookup-self", undefined, token)).status === 403, "the token has ended");
  await page.waitForResponse((answer) => answer.url().endsWith("/auth/token/lookup-self") && answer.status() === 403);
  await made.getByRole("button", { name: "Show the new token" }).click();
  await made.getByText(/^hvs\./).waitFor();
  await made.getByRole("button", { name: "I have it" }).click();
  await page.getByText(/Your token has ended or was revoked/).waitFor();
  await signInHere(cx, given.token);
}

async function theServerGoesAway(cx) {
  const { page } = cx;
  await control("kill");
  await go(cx, "/access/policies");
  await page.getByText("The server can not be reached; what is shown may be old").waitFor();
  await page.locator("main .empty").getByText("Look whether it runs").waitFor();
  await examine(cx, "server-away");
  await control("start");
}

/** A server that was restarted is sealed: shares are given in the page, which then goes on where it was, by itself. */
async function theServerIsSealed(cx) {
  const { page } = cx;
  await page.getByRole("heading", { name: "The server is sealed" }).waitFor();
  await page.getByText("You stay signed in as").waitFor();
  await examine(cx, "sealed-while-signed-in");
  await unsealHere(cx);
  await page.getByRole("heading", { name: "Policies", exact: true }).waitFor();
  await page.getByRole("link", { name: "default" }).waitFor();
  assert.equal(await page.getByText("can not be reached").count(), 0);

  // Sealed by somebody else: the next request tells, the page does not wait for its clock.
  await api("PUT", "sys/seal");
  await go(cx, "/secrets/secret/app");
  await page.getByRole("heading", { name: "The server is sealed" }).waitFor({ timeout: 5_000 });
  await unsealHere(cx);
  await page.getByRole("heading", { name: "app" }).waitFor();
}

/** A server that stumbles has refused nothing. */
async function noAnswerIsNoRefusal(cx) {
  const { page, context } = cx;
  await page.reload();
  let failing = true;
  await context.route("**/v1/sys/capabilities-self", (route) => (failing ? route.fulfill({ status: 500, json: { errors: ["internal error"] } }) : route.continue()));
  await signIn(cx, given.token, "/access/policies");
  await page.getByRole("link", { name: "default" }).waitFor();
  await page.getByRole("link", { name: "New policy" }).waitFor();
  await go(cx, "/operations/audit");
  const enable = page.getByRole("button", { name: "Enable", exact: true });
  await enable.waitFor();
  assert.ok(await enable.isEnabled(), "a button is shut although nothing is known");
  await page.getByRole("navigation", { name: "Areas" }).getByRole("link", { name: "Audit devices" }).waitFor();
  failing = false;
  await context.unroute("**/v1/sys/capabilities-self");
}

/** A token that may not even ask what it may: everything is offered, and each refusal is explained. */
async function whoMayNotAskMayTry(cx) {
  const { page } = cx;
  await page.reload();
  await signIn(cx, await tokenOf({ policies: ["reader"], no_default_policy: true }), "/secrets/secret/app");
  await page.getByRole("heading", { name: "app" }).waitFor();
  await page.getByRole("navigation", { name: "Areas" }).getByRole("link", { name: "Policies" }).click();
  await page.getByText(/Your token may not see/).waitFor();
  await page.getByText(/a policy that grants the path sys\/policies\/acl is missing/).waitFor();
}

async function nothingUnsavedIsLostUnasked(cx) {
  const { page } = cx;
  const dialog = page.getByRole("dialog", { name: "Leave without saving?" });
  const rules = page.getByLabel("Rules", { exact: true });
  const change = async () => {
    await go(cx, "/access/policies/edit/reader");
    await rules.fill("# changed");
  };
  await page.reload();
  await signIn(cx, given.token);
  await change();

  await page.getByRole("button", { name: "Namespace: root" }).click();
  await page.locator(".menu .item", { hasText: "team" }).click();
  await dialog.waitFor();
  await accessible(cx, "unsaved, another namespace");
  await dialog.getByRole("button", { name: "Cancel" }).click();
  assert.equal(await rules.inputValue(), "# changed");
  await page.getByRole("button", { name: "Namespace: root" }).waitFor();

  await page.getByRole("button", { name: /^Session of/ }).click();
  await page.getByRole("button", { name: "Sign out", exact: true }).click();
  await dialog.getByRole("button", { name: "Cancel" }).click();
  assert.equal(await rules.inputValue(), "# changed");
  await page.getByRole("button", { name: /^Session of/ }).click();
  await page.getByRole("button", { name: "Sign out and revoke the token" }).click();
  await page.getByText("What you changed here is not saved and will be lost").waitFor();
  await page.getByRole("button", { name: "Cancel" }).click();

  await page.getByRole("button", { name: "Namespace: root" }).click();
  await page.locator(".menu .item", { hasText: "team" }).click();
  await dialog.getByRole("button", { name: "Leave" }).click();
  await page.getByRole("button", { name: "Namespace: team/" }).waitFor();
  await page.getByRole("heading", { name: "Overview" }).waitFor();

  // What was agreed to once is asked again for the next change; and after "Leave" the browser asks nothing of its own.
  await page.getByRole("button", { name: "Namespace: team/" }).click();
  await page.locator(".menu .item", { hasText: /^root$/ }).click();
  await change();
  await page.getByRole("button", { name: /^Session of/ }).click();
  await page.getByRole("button", { name: "Sign out", exact: true }).click();
  await dialog.getByRole("button", { name: "Leave" }).click();
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  assert.equal((await api("GET", "sys/policies/acl/reader")).body.data.policy.includes("# changed"), false);
}

async function tokenOf(fields) {
  const made = await api("POST", "auth/token/create", { policies: ["default", "reader"], ...fields });
  return made.body.auth.client_token;
}

async function signInHere({ page }, token) {
  await page.getByLabel("Method", { exact: true }).selectOption("token");
  await page.getByLabel("Token", { exact: true }).fill(token);
  await page.keyboard.press("Enter");
  await page.locator("main#main").waitFor();
}

async function signOut({ page }) {
  await page.getByRole("button", { name: /^Session of/ }).click();
  await page.getByRole("button", { name: "Sign out", exact: true }).click();
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
}

async function unsealHere({ page }) {
  for (const key of given.keys) {
    await page.getByLabel("Key share", { exact: true }).fill(key);
    await page.getByRole("button", { name: "Give this share" }).click();
    await until(() => page.getByLabel("Key share", { exact: true }).evaluateAll((all) => all.every((one) => one.value === "")), "the share is taken");
  }
}

async function control(what) {
  const answer = await fetch(`${given.control}/${what}`, { method: "POST" });
  assert.equal(answer.status, 204);
}
