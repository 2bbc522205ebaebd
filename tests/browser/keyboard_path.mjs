// A person without a mouse, from the door to the door: signs in, makes a secret, reads it, edits it, deletes it and signs out. Each stop
// of the focus can be seen, lies within the window, and has a name.
import { api, assert, given, open, story, until } from "./harness.mjs";

const STOPS_MAX = 80;

await story(async (cx) => {
  const { page } = cx;
  await open(cx);
  await until(async () => (await focus(page)).name === "Username", "the first field has the focus");
  await page.keyboard.type("ann");
  await tabTo(page, "Password");
  await page.keyboard.type(given.password);
  await page.keyboard.press("Enter");
  await until(async () => (await focus(page)).id === "main", "the focus is in the screen");

  await shiftTo(page, "Secrets");
  await page.keyboard.press("Enter");
  await until(async () => (await focus(page)).id === "main", "the focus goes along");
  await tabTo(page, "secret/");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "secret/" }).waitFor();
  await until(async () => (await focus(page)).id === "main", "the focus goes along");
  await tabTo(page, "Create a secret");
  await page.keyboard.press("Enter");
  const fields = { Name: "by-keyboard", "Key of row 1": "word", "Value of word": "typed" };
  for (const [label, text] of Object.entries(fields)) {
    await tabTo(page, label);
    await page.keyboard.type(text);
  }
  await tabTo(page, "Create");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "by-keyboard" }).waitFor();
  await until(async () => (await focus(page)).id === "main", "the focus goes along");

  await tabTo(page, "Show word");
  await page.keyboard.press("Space");
  await page.getByText("typed", { exact: true }).waitFor();
  await shiftTo(page, "Delete");
  await page.keyboard.press("Enter");
  const dialog = page.getByRole("dialog");
  await dialog.waitFor();
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  assert.equal((await focus(page)).name, "Delete", "the focus returns to where it was");
  await page.keyboard.press("Enter");
  await dialog.waitFor();
  await page.keyboard.press("Enter");
  await dialog.waitFor({ state: "detached" });
  await until(async () => (await api("GET", "secret/data/by-keyboard")).status === 404, "it is deleted");

  await shiftTo(page, "Session of userpass-ann");
  await page.keyboard.press("Enter");
  while ((await focus(page)).name !== "Sign out") await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
});


function tabTo(page, name) {
  return walk(page, name, "Tab");
}

function shiftTo(page, name) {
  return walk(page, name, "Shift+Tab");
}

async function walk(page, name, key) {
  if ((await focus(page)).name === name) return;
  const seen = [];
  for (let stop = 0; stop < STOPS_MAX; stop++) {
    await page.keyboard.press(key);
    const at = await focus(page);
    if (at.tag === "BODY" || at.tag === "HTML" || at.id === "main") continue;
    assert.ok(at.name, `a stop has no name: ${at.html}`);
    assert.ok(at.isMarked, `the focus can not be seen: ${at.html}`);
    assert.ok(at.isInside, `the focus is outside of the window: ${at.html}`);
    if (at.name === name) return;
    seen.push(at.name);
  }
  assert.fail(`${name} can not be reached: ${seen.join(" | ")}`);
}

/** Where the focus is. */
function focus(page) {
  return page.evaluate(() => {
    const one = document.activeElement;
    const style = getComputedStyle(one);
    const box = one.getBoundingClientRect();
    const label = one.labels?.[0]?.textContent ?? one.getAttribute("aria-label") ?? one.textContent;
    return {
      id: one.id,
      tag: one.tagName,
      html: one.outerHTML.slice(0, 200),
      name: label?.trim().replace(/\s+/g, " "),
      isMarked: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
      isInside: box.bottom > 0 && box.right > 0 && box.top < innerHeight && box.left < innerWidth,
    };
  });
}
