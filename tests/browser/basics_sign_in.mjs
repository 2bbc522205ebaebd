// Signing in by what the server has, refusals in words, and signing out.
import { accessible, api, assert, examine, given, open, picture, remembers, signIn, story, until } from "./harness.mjs";

await story(async (cx) => {
  const { page } = cx;
  await open(cx);
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  await examine(cx, "sign-in");

  // A wrong token is refused in words, and nothing is shown.
  await page.getByLabel("Method", { exact: true }).selectOption("token");
  await page.getByLabel("Token", { exact: true }).fill("hvs.wrong");
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await page.getByRole("alert").getByText("does not know this token").waitFor();
  assert.equal(await page.locator("main#main").count(), 0);
  await accessible(cx, "a refused sign-in");

  // The method that is listed for everybody is offered first.
  await page.reload();
  const method = page.getByLabel("Method", { exact: true });
  await until(async () => (await method.inputValue()) === "at:userpass", "userpass is offered");
  await page.getByLabel("Username").fill("ann");
  await page.getByLabel("Password", { exact: true }).fill("not-hers");
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await page.getByRole("alert").getByText(/invalid username or password/i).waitFor();
  await page.getByLabel("Password", { exact: true }).fill(given.password);
  await page.keyboard.press("Enter");
  await page.locator("main#main").waitFor();
  await page.getByRole("button", { name: "Session of userpass-ann" }).waitFor();
  // She may not read the counters: that is explained, not an error.
  await page.getByText("There are no live numbers for this token").waitFor();
  await picture(cx, "overview-of-somebody");

  // Her token is nowhere but in the memory of the page.
  await nowhere(cx);
  await page.getByRole("button", { name: "Session of userpass-ann" }).click();
  await page.getByRole("button", { name: "Sign out", exact: true }).click();
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  const left = await page.content();
  assert.ok(!left.includes("userpass-ann") && !left.includes(given.password));
  await nowhere(cx);
  // The way back leads to the door as well.
  await page.goBack().catch(() => {});
  await page.goForward().catch(() => {});
  await open(cx, "/");
  await page.getByRole("heading", { name: "Sign in" }).waitFor();

  // A token that is revoked meanwhile ends the session, which says why.
  const made = await api("POST", "auth/token/create", { ttl: "1h", policies: ["default"] });
  const { client_token: token, accessor } = made.body.auth;
  await page.reload();
  await signIn(cx, token);
  await api("POST", "auth/token/revoke-accessor", { accessor });
  await page.getByText("Your token has ended or was revoked").waitFor();
  assert.ok(!(await page.content()).includes(accessor));

  // Signing out with revocation makes the token worthless.
  const last = await api("POST", "auth/token/create", { ttl: "1h", policies: ["default"] });
  const secret = last.body.auth.client_token;
  await page.reload();
  await signIn(cx, secret);
  assert.ok(await remembers(cx, secret), "the token is in memory while it is used");
  await page.getByRole("button", { name: /^Session of/ }).click();
  await page.getByRole("button", { name: "Sign out and revoke the token" }).click();
  const anew = page.waitForEvent("load"); // The page is loaded anew when the token is revoked, for which no click waits.
  await page.getByRole("button", { name: "Revoke and sign out" }).click();
  await anew;
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  const gone = await api("GET", "auth/token/lookup-self", undefined, secret);
  assert.equal(gone.status, 403);
  assert.ok(!(await remembers(cx, secret)), "the token is still in memory");
});

/** No token in storage, cookies, the page or its address. */
async function nowhere({ page, context }) {
  const kept = await page.evaluate(async () => ({
    local: JSON.stringify({ ...localStorage }),
    session: JSON.stringify({ ...sessionStorage }),
    databases: (await indexedDB.databases?.())?.length ?? 0,
    caches: (await caches.keys()).length,
    name: window.name,
    address: location.href,
    html: document.documentElement.outerHTML,
    values: [...document.querySelectorAll("input")].map((one) => one.value).join(" "),
  }));
  assert.ok(!/hvs\.|s\.[A-Za-z0-9]{20}/.test(JSON.stringify(kept)), "a token is kept somewhere");
  assert.deepEqual([kept.databases, kept.caches], [0, 0]);
  assert.deepEqual(await context.cookies(), []);
}
