// How the console looks: empty, full, with dialogs open, with text that would break it.
import { strict as assert } from "node:assert";
import { execFileSync } from "node:child_process";
import {
  api, axe, close, event, everyLook, fits, go, look, open, person, settled, SHOTS, VIEWS,
} from "../page.mjs";

// An empty store tells how to begin, in each view that has nothing, and what is pasted is
// shown as it comes.
export async function empty() {
  await everyLook(async (page, name) => {
    for (const view of VIEWS) {
      await go(page, view);
      await settled(page);
      if (view !== "operations") await page.getByText("Send your first event").waitFor();
      await look(page, `${view}-empty-${name}`);
    }
  });
  const waiting = await Promise.all(["overview", "live", "persons", "events", "insight"].map(
    async (view) => {
      const page = await open();
      await go(page, view);
      await page.getByText("Send your first event").waitFor();
      return page;
    }));
  const lines = await waiting[0].locator("main pre").first().textContent();
  const said = execFileSync("bash", ["-c", lines], { encoding: "utf8" });
  assert.match(said, /"status":201/);
  for (const page of waiting) {
    await page.bringToFront(); // what nobody sees asks for nothing
    await page.getByText("Send your first event").waitFor({ state: "detached" });
  }
}

// Every view at both widths and in both schemes.
export async function views() {
  const [{ id }] = await api("GET", "/persons?limit=1");
  await everyLook(async (page, name) => {
    for (const view of [...VIEWS, `persons/${id}`]) {
      await go(page, view);
      await settled(page);
      await look(page, `${view.replace(/\/.*/, "-one")}-${name}`);
    }
  });
}

// What is found by nothing says so, and what to do then.
export async function nothing() {
  const none = "00000000-0000-7000-8000-000000000000";
  const places = [
    ["events?person=nobody@marauders.mock", "Nobody has the email “nobody@marauders.mock”"],
    ["events?person=nobodys", "Nobody has the external or anonymous id “nobodys”"],
    [`events?person=${none}`, `Nobody has the id “${none}”`],
    ["events?type=nothing", "Choose a longer range above, or clear the filters"],
    ["persons?q=nobody", "see all persons"],
    [`persons/${none}`, "search for whom you mean"],
    ["live?event_type=nothing", "see all records"],
    ["insight?steps=nothing,more&first=nothing&then=more", "Choose a longer range, or another"],
  ];
  await everyLook(async (page, name) => {
    for (const [place, says] of places) {
      await go(page, place);
      await settled(page);
      await page.locator("main").getByText(says).first().waitFor();
      await fits(page, `${place}-${name}`);
      await axe(page, `${place}-${name}`);
    }
    await go(page, "events?person=nobodys");
    await page.getByRole("button", { name: "clear the filters" }).click();
    await page.locator("main table.stacks").waitFor();
  }, { refused: [404] });
}

// Each dialog, and what is folded in.
export async function dialogs() {
  const [{ id }] = await api("GET", "/persons?limit=1");
  const dialog = (page) => page.locator("dialog[open]");
  await everyLook(async (page, name) => {
    const seen = async (what) => {
      await dialog(page).waitFor();
      await look(page, `${what}-${name}`);
      await page.keyboard.press("Escape");
      await dialog(page).waitFor({ state: "detached" });
    };
    await go(page, "live");
    await page.locator(".record").first().click();
    await seen("dialog-record");
    await go(page, "events");
    await page.locator("main td .link-button").first().click();
    await seen("dialog-event");
    await go(page, `persons/${id}`);
    await page.getByRole("button", { name: /^Delete/ }).click();
    await seen("dialog-delete");
    await go(page, "operations");
    await page.getByText("Make a token").click();
    await page.getByText("It may").waitFor();
    await look(page, `make-token-${name}`);
    await go(page, "overview");
    await page.getByText("The chart as a table").click();
    await page.getByText("From–to").click();
    await look(page, `unfolded-${name}`);
  });
}

// Markup, words without end and marks of direction in all that a client may name.
export async function hostile() {
  const markup = `<img src=x onerror="document.title='taken'">`;
  const long = "x".repeat(90), turned = "\u202eevil\u2066"; // neither of them closed
  let one;
  for (const [n, name] of [markup, long, turned].entries()) {
    one = await person(`hostile${n}`, {
      first_name: name, last_name: name, external_id: `${name.slice(0, 60)}${n}`,
      properties: { [name]: name, list: [markup, long.repeat(9), turned] },
    });
    await api("PATCH", `/persons/${one.id}`, { properties: { [name]: markup + long.repeat(9) } });
    for (let i = 0; i < 3; i++)
      await event(name, one, { properties: { [name]: name, much: long.repeat(9) } });
    await api("POST", "/events", { event_type: name, anonymous_id: name.slice(0, 80) });
  }
  const steps = encodeURIComponent([markup, long].join(","));
  await everyLook(async (page, name) => {
    for (const view of [...VIEWS, `persons/${one.id}`, `insight?steps=${steps}`,
                        `events?person=${encodeURIComponent(turned)}`]) {
      await go(page, view);
      await settled(page);
      await look(page, `${view.replace(/[/?].*/, "-more")}-hostile-${name}`);
      assert.notEqual(await page.title(), "taken");
      assert.equal(await page.locator("img[src=x]").count(), 0);
    }
    await go(page, `persons/${one.id}`);
    await settled(page);
    // A mark of direction is told, and turns nothing round.
    await page.locator("main h1", { hasText: String.raw`\u202eevil\u2066` }).waitFor();
    const marks = await page.evaluate(() =>
      document.body.innerText.match(/[\u202a-\u202e\u2066-\u2069]/g));
    assert.equal(marks, null);
    await page.getByRole("button", { name: /^Delete/ }).click();
    await look(page, `dialog-hostile-${name}`);
  });
}

// How long until there is something of the store to see.
export async function paint() {
  const page = await open();
  await go(page, "overview"); // the first is the browser's start
  await page.getByText("Head of the log").waitFor();
  const times = [];
  for (let i = 0; i < 3; i++) {
    const fresh = await open();
    const began = Date.now();
    await go(fresh, "overview");
    await fresh.getByText(/\d+ projected/).waitFor();
    times.push(Date.now() - began);
  }
  const median = times.sort((a, b) => a - b)[1];
  console.log(`first paint with data: ${median} ms (budget 1000)`);
  assert(median < 3000, "that is no paint at once, on any machine");
}

// README's: of make demo, once it has run for a while.
export async function picture() {
  const page = await open({ width: 1200, height: 960 });
  await go(page, "overview");
  await settled(page);
  await page.getByText("over the last 2 s").waitFor();
  await page.waitForTimeout(300);
  await page.screenshot({ path: `${SHOTS}/console.png` });
  await close(page);
}
