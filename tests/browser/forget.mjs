// What signing out leaves (nothing), what hostile names do on every screen (nothing), what a token without rights is told, and what another
// origin gets (nothing).
import { api, assert, examine, given, go, open, remembers, signIn, story, until } from "./harness.mjs";

await story(async (cx) => {
  cx.asked = [];
  cx.context.on("request", (request) => cx.asked.push(request.url()));
  await hostileNamesAreNames(cx);
  await whoMayNothingIsToldSo(cx);
  await signingOutForgets(cx);
  await anotherOriginGetsNothing(cx);
});

/** Each place of the navigation, with names and descriptions that are markup. */
async function hostileNamesAreNames(cx) {
  const { page } = cx;
  await signIn(cx, given.token);
  const places = await walk(cx);
  assert.ok(places.length > 12, `only ${places.length} places`);
  cx.places = places;
  // Each name was really there to be shown.
  for (const [place, name] of given.shown) {
    await go(cx, place);
    await page.locator("main").getByText(name).first().waitFor();
  }
}

/** Goes through the navigation; nothing of it may have become an element. */
async function walk(cx) {
  const { page } = cx;
  const links = page.getByRole("navigation", { name: "Areas" }).getByRole("link");
  await until(async () => (await links.count()) > 12, "the navigation knows what the token may do");
  const places = await links.evaluateAll((all) => all.map((one) => one.getAttribute("href").slice(1)));
  for (const place of places) {
    await visit(cx, place);
    assert.equal(await page.locator("main img, main b, main script, nav img, nav b").count(), 0, `markup at ${place}`);
  }
  assert.notEqual(await page.title(), "caught");
  return places;
}

async function visit({ page }, place) {
  await go({ page }, place);
  await page.locator("main h1, main .empty").first().waitFor();
  await until(async () => (await page.locator("main .loading").count()) === 0, `${place} has loaded`);
}

/** On every screen a person without rights reads why it is empty, and nothing breaks. */
async function whoMayNothingIsToldSo(cx) {
  const { page } = cx;
  await page.reload();
  const made = await api("POST", "auth/token/create", { policies: ["default"] });
  await signIn(cx, made.body.auth.client_token);
  // Everybody can ask what they may do and whether the server is open, has a cubbyhole, sees that engine, and finds paths.
  for (const place of cx.places.filter((one) => !["/access/explain", "/operations/seal", "/secrets", "/engines", "/explorer"].includes(one))) {
    await visit(cx, place);
    // A stream or a right that is refused has no sign of loading: what is lacking is known when the server has answered.
    let words = "";
    const isSaid = async () => {
      const shut = await page.locator("main button:disabled").evaluateAll((all) => all.map((one) => one.title).join("\n"));
      words = `${await page.locator("main").innerText()}\n${shut}`;
      return /may not|no policy|needs|lacks|not see|no engine|can not|grants/i.test(words);
    };
    await until(isSaid, `${place} says why it is empty`).catch((error) => assert.fail(`${error.message}:\n${words}`));
  }
  await go(cx, "/secrets/secret/app");
  await page.getByText("none of it is open to your token").waitFor();
  await examine(cx, "refused");
}

async function signingOutForgets(cx) {
  const { page, context } = cx;
  await open(cx);
  await page.reload();
  await page.getByLabel("Username").fill("ann");
  await page.getByLabel("Password", { exact: true }).fill(given.password);
  await page.keyboard.press("Enter");
  await page.locator("main#main").waitFor();
  const token = await hers(cx);
  await go(cx, `/secrets/secret/${encodeURIComponent(given.name)}`);
  await page.getByRole("button", { name: "Show word" }).click();
  await page.getByText(given.secret).waitFor();
  assert.ok(await remembers(cx, given.secret), "what is shown is in memory while it is shown");
  // The place is somewhere in the steps behind; the person signs out elsewhere.
  await go(cx, "/access/policies");
  await page.getByRole("button", { name: /^Session of/ }).click();
  await page.getByRole("button", { name: "Sign out", exact: true }).click();
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  assert.ok(page.url().endsWith("/ui/"), page.url());
  for (const text of [given.secret, given.password, token, "ann-alone"]) {
    assert.ok(!(await remembers(cx, text)), `still in memory: ${text.slice(0, 4)}…`);
    assert.ok(!(await page.content()).includes(text));
  }
  const stored = await page.evaluate(() => [Object.keys(localStorage), Object.keys(sessionStorage), document.cookie]);
  assert.deepEqual(stored.map((one) => one.length), [0, 0, 0]);
  assert.deepEqual(await context.cookies(), []);
  // The browser's own steps lead to the door, whatever place they name.
  for (let step = 0; step < 3; step++) {
    await page.goBack().catch(() => {});
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    assert.equal(await page.locator("main#main").count(), 0);
    assert.ok(!(await page.content()).includes(given.secret));
  }
  for (const url of cx.asked) assert.ok(!url.includes(token) && !url.includes(given.password) && !url.includes(given.secret), `in an address: ${url}`);
}

/** Her token, out of a request of the page: nowhere else is it to be had. */
async function hers({ page }) {
  const [request] = await Promise.all([page.waitForRequest((one) => Boolean(one.headers()["x-vault-token"])), go({ page }, "/secrets")]);
  return request.headers()["x-vault-token"];
}

async function anotherOriginGetsNothing(cx) {
  const { context, allowed } = cx;
  allowed.push(new URL(given.elsewhere).origin);
  const page = await context.newPage();
  await page.goto(given.elsewhere);
  const tried = await page.evaluate(async (addr) => {
    const ask = (path, options) => fetch(addr + path, options).then((answer) => answer.status, () => "refused");
    const framed = await new Promise((resolve) => {
      const frame = document.createElement("iframe");
      frame.onload = () => resolve(frame.contentDocument === null && frame.contentWindow.length === 0);
      frame.src = `${addr}/ui/`;
      document.body.append(frame);
    });
    globalThis.other = open(`${addr}/ui/`);
    return {
      read: await ask("/v1/sys/seal-status", {}),
      written: await ask("/v1/sys/unseal", { method: "POST", headers: { "Content-Type": "application/json" }, body: '{"reset":true}' }),
      page: await ask("/ui/", {}),
      framed,
    };
  }, given.addr);
  assert.deepEqual([tried.read, tried.written, tried.page], ["refused", "refused", "refused"]);
  assert.ok(tried.framed, "the page was shown within another one");
  await until(() => page.evaluate(() => globalThis.other === null || globalThis.other.closed), "no page holds this one by its window");
  cx.wrong = cx.wrong.filter((one) => !/frame-ancestors|CORS policy|Framing|violates|X-Frame-Options/.test(one));
}
