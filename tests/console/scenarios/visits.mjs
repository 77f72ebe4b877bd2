// What people do who look: live, persons, events, insight, by the mouse and by the keyboard.
import { strict as assert } from "node:assert";
import { readFileSync } from "node:fs";
import { api, close, event, everyLook, go, look, open, ORIGIN, person, settled, VIEWS, wrong } from "../page.mjs";

// What was recorded before the page was opened is in the chart at once; on narrow windows no
// column of a table is out of sight.
export async function minutes() {
  const kitty = await person("minutes");
  for (let i = 0; i < 20; i++) await event("before", kitty);
  const page = await open();
  await go(page, "overview");
  await page.getByText("The lag is measured while this page is seen.").waitFor();
  const plot = await page.locator(".chart .u-over").first().boundingBox();
  let most = 0;
  for (let x = plot.width; x > plot.width * 0.8 && most === 0; x -= 2) {
    await page.mouse.move(plot.x + x - 1, plot.y + 50);
    const rows = await page.locator(".chart .tip li").allTextContents();
    most = Math.max(0, ...rows.filter((row) => row.startsWith("Events a second"))
      .map((row) => Number(row.replace(/^Events a second/, "")) || 0));
  }
  assert(most > 0, "the chart has nothing of what was recorded before");
}

// What is recorded is seen without asking again, and not while it is paused.
export async function live() {
  const page = await open();
  await go(page, "live");
  await page.getByText("Live", { exact: true }).last().waitFor();
  const kitty = await person("live");
  await event("arrived", kitty);
  await page.locator(".record", { hasText: "arrived" }).waitFor();
  await page.getByRole("button", { name: "Pause" }).click();
  await page.locator(".stand", { hasText: "Paused" }).waitFor();
  await event("unseen", kitty);
  await page.waitForTimeout(1500);
  assert.equal(await page.locator(".record", { hasText: "unseen" }).count(), 0);
  await page.locator("button[aria-pressed=true]").click();
  await page.locator(".record", { hasText: "unseen" }).waitFor();
  await page.locator(".record", { hasText: "arrived" }).first().click();
  await page.getByText(`"${kitty.id}"`).first().waitFor();
  await page.locator(".proof", { hasText: "has signed" }).waitFor();
  const [file] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: "Download the proof" }).click(),
  ]);
  const [, sequence] = file.suggestedFilename().match(/^(\d+)\.tlog-proof$/);
  assert.match(readFileSync(await file.path(), "utf8"),
    new RegExp(`^c2sp.org/tlog-proof@v1\nindex ${sequence - 1}\n`));
}

// Searched for by what a name begins with; old and new of an update; deleted once the email
// is typed.
export async function persons() {
  const made = await person("storm", { first_name: "Ororo", last_name: "Munroe" });
  await api("PATCH", `/persons/${made.id}`, { last_name: "Iqadi" });
  const page = await open();
  await go(page, "persons");
  await page.locator("#person-search").fill("kate pry");
  await page.keyboard.press("Enter");
  await page.getByText("Whose name begins with “kate pry”").first().waitFor();
  await page.locator("main table a", { hasText: "Kate Pryde" }).first().waitFor();
  await page.locator("#person-search").fill("iqa");
  await page.keyboard.press("Enter");
  await page.locator("main table a", { hasText: "Iqadi" }).click();
  await page.waitForURL(`**#/persons/${made.id}`);
  await page.locator(".changes", { hasText: "Munroe" }).filter({ hasText: "Iqadi" }).first().waitFor();
  await page.getByRole("button", { name: /^Delete/ }).click();
  const dialog = page.getByRole("dialog");
  const button = dialog.locator("button.danger");
  assert(await button.isDisabled());
  await dialog.locator("input").fill(await dialog.locator("label code").textContent());
  await button.click();
  await page.waitForURL("**#/persons"); // where one is led once it is done
  const gone = await fetch(`${ORIGIN}/persons/${made.id}`);
  assert.equal(gone.status, 404);
}

// Restricted and no more, exported, and erased once the email is typed: each is said on the page,
// by the keyboard, and the receipt is there.
export async function rights() {
  const made = await person("rights", { first_name: "Jean", last_name: "Grey" });
  await event("secret", made);
  const page = await open({ refused: [410] });
  await go(page, `persons/${made.id}`);
  await settled(page);
  const press = async (name) => {
    await page.getByRole("button", { name, exact: true }).focus();
    await page.keyboard.press("Enter");
  };
  await press("Restrict");
  await page.locator(".badge", { hasText: "Restricted" }).waitFor();
  await page.getByText("shown to tokens with the scope admin only").waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.id), "main");
  assert.equal((await api("GET", `/persons/${made.id}/restriction`)).person_id, made.id);
  await settled(page);
  await look(page, "person-restricted-1280-light");
  const [file] = await Promise.all([
    page.waitForEvent("download"),
    press("Export everything held"),
  ]);
  assert.equal(file.suggestedFilename(), `person-${made.id}.json`);
  assert.match(readFileSync(await file.path(), "utf8"), /"secret"/);
  await press("Restrict no more");
  await page.locator(".badge", { hasText: "Restricted" }).waitFor({ state: "detached" });
  await press("Erase for good…");
  const dialog = page.getByRole("dialog");
  assert(await dialog.locator("button.danger").isDisabled());
  await look(page, "dialog-erase-1280-light");
  await dialog.locator("input").fill(await dialog.locator("label code").textContent());
  await page.keyboard.press("Enter");
  await page.locator(".badge", { hasText: "Erased" }).waitFor();
  await page.getByText("has been erased for good").waitFor();
  await page.getByRole("heading", { name: "Receipt" }).waitFor();
  await page.getByText("destroyed, wiped, removed").waitFor();
  const [receipt] = await Promise.all([
    page.waitForEvent("download"),
    press("Download the receipt"),
  ]);
  assert.equal(JSON.parse(readFileSync(await receipt.path(), "utf8")).person_id, made.id);
  assert.equal(await page.getByRole("button", { name: "Erase for good…" }).count(), 0);
  await everyLook(async (seen, name) => {
    await go(seen, `persons/${made.id}`);
    await settled(seen);
    await seen.getByRole("heading", { name: "Receipt" }).waitFor();
    await look(seen, `person-erased-${name}`);
  }, { refused: [410] });
  const gone = await fetch(`${ORIGIN}/persons/${made.id}`);
  assert.equal(gone.status, 410);
}

// Filtered by whom and by properties; the file has what is shown, and no formula.
export async function csv() {
  const made = await person("csv", { external_id: "csv-1" });
  const properties = { page: "/a,b", note: 'he said "no"\nand left', sum: "=1+1" };
  await event("=cmd", made, { properties });
  await event("plain", made, { properties: { page: "/home" } });
  const page = await open();
  await go(page, "events");
  await page.getByLabel("Person").fill("csv-1");
  await page.getByRole("button", { name: "Search" }).click();
  await page.getByText("The 3 recorded last, which are all.").waitFor();
  const [file] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: "CSV of what is shown" }).click(),
  ]);
  assert.equal(file.suggestedFilename(), "events.csv");
  const [names, ...rows] = parsed(readFileSync(await file.path(), "utf8"));
  assert.deepEqual(names,
    ["id", "datetime_created", "event_type", "person_id", "anonymous_id", "properties"]);
  const events = await api("GET", `/events?person_id=${made.id}&order=desc&timestamps=rfc3339`);
  assert.deepEqual(rows.map((row) => row[0]), events.map((each) => each.id));
  assert.deepEqual(rows.map((row) => row[1]), events.map((each) => each.datetime_created));
  assert.deepEqual(rows.map((row) => row[2]).sort(), ["'=cmd", "plain", "signup"]);
  const it = rows.find((row) => row[2] === "'=cmd");
  assert.equal(it[3], made.id);
  assert.deepEqual(JSON.parse(it[5]), properties);
}

// RFC 4180.
function parsed(text) {
  const rows = [[]];
  for (const [, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/g)) {
    rows.at(-1).push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end === "\r\n") rows.push([]);
  }
  return rows.slice(0, -1);
}

// A funnel and who came back, of persons made for it; and what is offered where nobody said
// which steps is of the range that is chosen.
export async function insight() {
  const old = new Date(Date.now() - 60 * 86400e3).toISOString();
  for (let i = 0; i < 4; i++) {
    const one = await person(`funnel${i}`);
    for (let n = 0; n < 3; n++) await event("long-ago", one, { datetime_created: old });
    for (const type of ["seen", "bought"].slice(0, i < 1 ? 2 : 1)) await event(type, one);
  }
  const page = await open();
  await go(page, "insight?steps=seen,bought&first=signup&then=seen&by=day");
  const bars = page.locator(".funnel");
  await bars.filter({ hasText: "bought" }).waitFor();
  await bars.filter({ hasText: "25 %" }).waitFor();
  await page.locator(".cohorts", { hasText: "%" }).waitFor();
  const fresh = await open();
  await go(fresh, "insight");
  const offered = fresh.locator(".funnel");
  await offered.filter({ hasText: "seen" }).waitFor();
  assert.doesNotMatch(await offered.textContent(), /long-ago/);
  await fresh.getByRole("button", { name: "90 d" }).click();
  await offered.filter({ hasText: "long-ago" }).waitFor();
  await fresh.getByRole("button", { name: "24 h" }).click();
  await offered.filter({ hasText: "long-ago" }).waitFor({ state: "detached" });
  await offered.waitFor();
  await close(page);
}

// By the keyboard alone: past the places to the content; to everything in each view that can
// be operated, seen where it is; into a dialog and back to what opened it.
export async function keyboard() {
  const page = await open();
  const [{ id }] = await api("GET", "/persons?limit=1");
  await go(page, "overview");
  await settled(page);
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.className), "skip");
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement.id), "main");
  await page.getByRole("link", { name: "Persons", exact: true }).focus();
  await page.keyboard.press("Enter");
  await page.locator("#person-search").waitFor();
  for (const view of [...VIEWS, `persons/${id}`]) await tabThrough(view);
  await go(page, `persons/${id}`);
  await settled(page);
  await page.getByRole("button", { name: /^Delete/ }).focus();
  await page.keyboard.press("Enter");
  await page.locator("dialog[open] input:focus").waitFor();
  for (let i = 0; i < 6; i++) { // it is not left by tabs, but for the browser's own bar
    await page.keyboard.press("Tab");
    assert(await page.evaluate(() => document.activeElement === document.body ||
      document.activeElement.closest("dialog") !== null));
  }
  await page.keyboard.press("Escape");
  await page.locator("dialog").waitFor({ state: "detached" });
  assert.match(await page.evaluate(() => document.activeElement.textContent), /^Delete/);
}

async function tabThrough(view) {
  const page = await open();
  await go(page, view);
  await settled(page);
  if (view === "live") await page.getByRole("button", { name: "Pause" }).click();
  await page.waitForTimeout(300);
  const all = await page.evaluate(() => {
    document.activeElement.blur();
    const operable = "a[href], button:not(:disabled), input:not(:disabled), select, summary, [tabindex='0']";
    const shown = [...document.querySelectorAll(operable)]
      .filter((each) => each.checkVisibility({ visibilityProperty: true }) && each.closest("[hidden]") === null)
      .filter((each) => each.closest("details:not([open])") === null || each.tagName === "SUMMARY");
    shown.forEach((each, at) => each.setAttribute("data-tab", at));
    return shown.length;
  });
  const seen = new Set();
  for (let i = 0; i < 2 * all + 5 && seen.size < all; i++) {
    await page.keyboard.press("Tab");
    const at = await page.evaluate(() => {
      const now = document.activeElement, { outlineStyle, outlineWidth } = getComputedStyle(now);
      const { width, height, bottom, top } = now.getBoundingClientRect();
      return { tab: now.dataset.tab, html: now.outerHTML.slice(0, 100),
               lit: outlineStyle !== "none" && parseFloat(outlineWidth) > 0,
               there: width > 0 && height > 0 && bottom > 0 && top < innerHeight };
    });
    if (at.tab === undefined) continue;
    seen.add(at.tab);
    if (!at.lit) wrong.push(`${view}: no mark of the focus at ${at.html}`);
    if (!at.there) wrong.push(`${view}: the focus is out of sight at ${at.html}`);
  }
  const missed = await page.evaluate((known) =>
    [...document.querySelectorAll("[data-tab]")].filter((each) => !known.includes(each.dataset.tab))
      .map((each) => each.outerHTML.slice(0, 100)), [...seen]);
  if (missed.length) wrong.push(`${view}: not come to by Tab: ${missed.slice(0, 3).join(" ")}`);
  await close(page);
}
