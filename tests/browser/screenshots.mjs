// The pictures of docs/images: the main screens in light and dark, and the overview at phone width.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { given, go, open, signIn, story, theme, THEMES } from "./harness.mjs";
import { smaller } from "./png.mjs";

/** A name, a place, and what has to be there before it is taken. */
const SCREENS = [
  ["overview", "/", (page) => page.locator(".stat .spark .path").nth(2).waitFor()],
  ["credentials", "/credentials", lives],
  ["leases", "/credentials/leases/database/creds/report-role/", (page) => page.locator(".ring").nth(3).waitFor()],
  ["events", "/events", (page) => page.locator("[data-event]").nth(14).waitFor()],
  ["audit", "/events/audit", (page) => page.locator("[data-audit]").nth(14).waitFor()],
  ["transit", "/transit/transit/orders?tab=encrypt", triedOut],
  ["master-key", "/kms/kms/alias:app", (page) => page.getByRole("link", { name: "alias/app" }).waitFor()],
  ["engine", "/engines/database", (page) => page.getByRole("link", { name: "static-roles" }).waitFor()],
  ["engine-role", "/engines/database/at/roles%2F%7Bname%7D?name=app-role", (page) => page.getByRole("link", { name: "creds/app-role" }).waitFor()],
];
const HISTORY_MS = Number(process.env.COFFER_PICTURES_HISTORY_MS ?? 12_000);

await story(async (cx) => {
  const { page } = cx;
  await page.setViewportSize({ width: 1280, height: 800 });
  await open(cx);
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  await both(cx, "sign-in");
  await signIn(cx, given.token);
  for (const [name, place, ready] of SCREENS) {
    await go(cx, place);
    await ready(page);
    // The lines of the overview grow while it is looked at.
    if (name === "overview") await page.waitForTimeout(HISTORY_MS);
    await both(cx, name);
  }
  await page.setViewportSize({ width: 390, height: 844 });
  await both(cx, "overview-phone");
});

/** Two credentials: one that is verified, one at its end. */
async function lives(page) {
  for (const role of ["report-role", "app-role"]) {
    const before = await page.locator(".cred-card").count();
    await page.getByLabel("Role", { exact: true }).selectOption(role);
    await page.getByRole("button", { name: "Issue a credential" }).click();
    await page.locator(".cred-card").nth(before).waitFor();
    const card = page.locator(".cred-card").first();
    await card.getByRole("button", { name: "Verify against the database" }).click();
    await card.getByText("PostgreSQL accepts this login").waitFor();
  }
  await page.locator(".cred-card").last().getByRole("button", { name: "Revoke", exact: true }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Revoke", exact: true }).click();
  await page.getByText("PostgreSQL refuses this login").waitFor();
  await page.locator("main#main").evaluate((main) => main.scrollTo(0, main.scrollHeight));
}

async function both(cx, name) {
  mkdirSync(given.folder, { recursive: true });
  for (const one of THEMES) {
    await theme(cx, one);
    writeFileSync(join(given.folder, `${name}-${one}.png`), smaller(await cx.page.screenshot()));
  }
  await theme(cx, "light");
}

/** Something was encrypted and decrypted. */
async function triedOut(page) {
  await page.getByLabel("Plaintext", { exact: true }).fill("card 4111 1111");
  await page.getByLabel("Associated data").first().fill("order=17");
  await page.getByRole("button", { name: "Encrypt", exact: true }).click();
  await page.getByRole("button", { name: "Decrypt this" }).click();
  await page.getByRole("button", { name: "Decrypt", exact: true }).click();
  await page.getByRole("img", { name: "Plaintext, hidden" }).waitFor();
}
