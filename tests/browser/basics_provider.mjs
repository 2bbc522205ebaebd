// Signing in at an identity provider, in a window of its own.
import { assert, given, open, story, until } from "./harness.mjs";

await story(async (cx) => {
  const { page, context } = cx;
  cx.allowed.push(given.issuer);
  await open(cx);
  await page.getByLabel("Method", { exact: true }).selectOption("other");
  await page.getByLabel("Kind").selectOption("oidc");
  // A role that does not allow to come back here says so, and what to do.
  await page.getByLabel("Role", { exact: true }).fill("elsewhere");
  await page.getByRole("button", { name: "Sign in at the provider" }).click();
  await page.getByRole("alert").getByText("allowed_redirect_uris").waitFor();

  // A window that is closed ends the waiting.
  await page.getByLabel("Role", { exact: true }).fill("");
  await context.route(`${given.issuer}/**`, () => {}); // It never answers.
  const [first] = await Promise.all([page.waitForEvent("popup"), page.getByRole("button", { name: "Sign in at the provider" }).click()]);
  await page.getByText("Waiting for the provider's window").waitFor();
  // Nobody else can answer: what comes with another state is left alone.
  await page.evaluate(() => new BroadcastChannel("coffer-sign-in").postMessage({ state: "forged", code: "forged", error: "" }));
  await first.close();
  await page.getByRole("alert").getByText("was closed before").waitFor();
  await context.unroute(`${given.issuer}/**`);

  const [there] = await Promise.all([page.waitForEvent("popup"), page.getByRole("button", { name: "Sign in at the provider" }).click()]);
  const places = [];
  there.on("framenavigated", (frame) => places.push(frame.url()));
  await page.getByRole("button", { name: /^Session of oidc-ann@example.com/ }).waitFor();
  await until(() => there.isClosed(), "the window closes by itself");
  assert.ok(!places.join(" ").includes("hvs."), "no token in an address");
  // The page on which somebody comes back whom nobody waits for.
  await page.bringToFront();
  await page.goto(`${given.addr}/ui/vault/auth/oidc/oidc/callback?code=%3Cimg%20src%3Dx%3E&state=none`);
  await page.getByText("Nobody waits for this sign-in").waitFor();
  assert.ok(!page.url().includes("code="));
});
