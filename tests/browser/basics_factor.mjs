// A login that wants a second factor.
import { assert, examine, given, open, story, until } from "./harness.mjs";

await story(async (cx) => {
  const { page } = cx;
  await open(cx);
  await until(async () => (await page.getByLabel("Method", { exact: true }).inputValue()) === "at:userpass", "userpass is offered");
  await enter(page);
  await page.getByText("This login wants a second factor").waitFor();
  await examine(cx, "second-factor");
  await page.getByLabel("Code of your authenticator").fill("000000");
  await page.getByRole("button", { name: "Go on" }).click();
  await page.getByRole("alert").waitFor();
  await page.getByRole("button", { name: "Back" }).click();
  await enter(page);
  await page.getByLabel("Code of your authenticator").fill(given.code);
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Session of userpass-ann" }).waitFor();
  assert.equal(await page.getByText(given.code).count(), 0);
});

async function enter(page) {
  await page.getByLabel("Username").fill("ann");
  await page.getByLabel("Password", { exact: true }).fill(given.password);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
}
