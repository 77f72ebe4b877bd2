// Drives /console in Chromium: node drive.mjs SCENARIO, the rest by its environment. What is
// wrong ends it with a sentence; so does an error in the browser's console, or a request to
// another origin than the server's.
import { strict as assert } from "node:assert";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const { ORIGIN, CHROMIUM, SHOTS, ADMIN } = process.env;
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const VIEWS = ["overview", "live", "persons", "events", "insight", "operations"];
const PATIENCE = 60_000;
const wrong = [];

const browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });

// A page of its own, in a tab that nobody has used. Answers that are refused on purpose are
// errors to Chromium: `refused` says which.
async function open({ width = 1280, height = 900, scheme = "light", refused = [] } = {}) {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: scheme });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE);
  page.on("console", (message) => {
    const said = `${message.text()} ${message.location().url}`;
    if (message.type() === "error" && !refused.some((status) => said.includes(`status of ${status}`)))
      wrong.push(`the browser says: ${said}`);
  });
  page.on("pageerror", (error) => wrong.push(`a script failed: ${error.stack}`));
  page.on("request", (request) => {
    if (!request.url().startsWith(`${ORIGIN}/`) && !request.url().startsWith("data:"))
      wrong.push(`asked elsewhere: ${request.url()}`);
  });
  return page;
}

const go = (page, place) => page.goto(`${ORIGIN}/console#/${place}`);

// Without what is still on its way: the view has its heading, and nothing says "loading".
async function settled(page, place) {
  await page.locator("main h1").waitFor();
  await page.waitForFunction(() => !document.querySelector("main .loading, main [aria-busy=true]"));
}

async function axe(page, name) {
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() =>
    window.axe.run(document, {
      runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    }),
  );
  for (const { id, nodes } of violations)
    wrong.push(`${name}: axe finds ${id}: ${nodes.map((node) => node.html).slice(0, 3).join(" ")}`);
}

async function fits(page, name) {
  const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  if (over > 0) wrong.push(`${name}: ${over} px wider than the window`);
}

// Fetched by the page's own origin, so that a token is a header as the console sends it.
async function api(method, path, body, token = ADMIN) {
  const answer = await fetch(ORIGIN + path, {
    method,
    headers: { "Content-Type": "application/json", ...(token && { Authorization: `Bearer ${token}` }) },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const json = await answer.json();
  assert(answer.ok, `${method} ${path}: ${JSON.stringify(json.response)}`);
  return json.data;
}

const scenarios = {
  // An empty store tells how to begin, and what is pasted is shown as it comes.
  async empty() {
    const page = await open();
    await go(page, "overview");
    await page.getByText("Send your first event").waitFor();
    const lines = await page.locator("main pre").first().textContent();
    const said = execFileSync("bash", ["-c", lines], { encoding: "utf8" });
    assert.match(said, /"status":201/);
    await page.getByText("Send your first event").waitFor({ state: "detached" });
    for (const view of VIEWS) {
      await go(page, view);
      await settled(page, view);
    }
  },

  // Every view at both widths and in both schemes: it fits, and axe finds nothing.
  async views() {
    const [{ id }] = await api("GET", "/persons?limit=1");
    for (const [width, height] of [[1280, 900], [360, 780]])
      for (const scheme of ["light", "dark"]) {
        const page = await open({ width, height, scheme });
        for (const view of [...VIEWS, `persons/${id}`]) {
          const name = `${view.replace(/\/.*/, "-one")}-${width}-${scheme}`;
          await go(page, view);
          await settled(page, view);
          await page.waitForTimeout(300); // charts are drawn in the next frames
          await fits(page, name);
          await axe(page, name);
          await page.screenshot({ path: `${SHOTS}/${name}.png`, fullPage: width < 1280 });
        }
        await page.context().close();
      }
  },

  // What is recorded is seen without asking again, and not while it is paused.
  async live() {
    const page = await open();
    await go(page, "live");
    await page.getByText("Live", { exact: true }).last().waitFor();
    const person = await api("POST", "/persons", {
      email: "live@marauders.mock", first_name: "Kitty", last_name: "Pryde",
    });
    await api("POST", "/events", { event_type: "arrived", person_id: person.id });
    await page.locator(".record", { hasText: "arrived" }).waitFor();
    await page.getByRole("button", { name: "Pause" }).click();
    await page.locator(".stand", { hasText: "Paused" }).waitFor();
    await api("POST", "/events", { event_type: "unseen", person_id: person.id });
    await page.waitForTimeout(1500);
    assert.equal(await page.locator(".record", { hasText: "unseen" }).count(), 0);
    await page.locator("button[aria-pressed=true]").click();
    await page.locator(".record", { hasText: "unseen" }).waitFor();
    await page.locator(".record", { hasText: "arrived" }).first().click();
    await page.getByText(`"${person.id}"`).first().waitFor();
  },

  // Searched for by what a name begins with; old and new of an update; deleted once the
  // email is typed.
  async person() {
    const hostile = `<img src=x onerror="document.title='taken'">\u202e${"x".repeat(50)}`;
    const made = await api("POST", "/persons", {
      email: "storm@marauders.mock", first_name: hostile, last_name: "Munroe",
    });
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
    await page.getByText(hostile.slice(0, 20)).first().waitFor();
    assert.notEqual(await page.title(), "taken");
    assert.equal(await page.locator("img[src=x]").count(), 0);
    await page.getByRole("button", { name: /^Delete/ }).click();
    const dialog = page.getByRole("dialog");
    const button = dialog.locator("button.danger");
    assert(await button.isDisabled());
    await dialog.locator("input").fill(await dialog.locator("label code").textContent());
    await button.click();
    await page.waitForURL("**#/persons"); // where one is led once it is done
    const gone = await fetch(`${ORIGIN}/persons/${made.id}`);
    assert.equal(gone.status, 404);
  },

  // A funnel and who came back, of persons made for it.
  async insight() {
    for (let i = 0; i < 4; i++) {
      const person = await api("POST", "/persons", {
        email: `funnel${i}@marauders.mock`, first_name: "F", last_name: "G",
      });
      for (const type of ["seen", "bought"].slice(0, i < 1 ? 2 : 1))
        await api("POST", "/events", { event_type: type, person_id: person.id });
    }
    const page = await open();
    await go(page, "insight?steps=seen,bought&first=signup&then=seen&by=day");
    const bars = page.locator(".funnel");
    await bars.filter({ hasText: "bought" }).waitFor();
    await bars.filter({ hasText: "25 %" }).waitFor();
    await page.locator(".cohorts").waitFor();
    await page.locator(".cohorts", { hasText: "%" }).waitFor();
  },

  // Begun by a button, and watched to its end.
  async rebuild() {
    const page = await open();
    await go(page, "operations");
    await page.getByRole("button", { name: "Rebuild the tables" }).click();
    await page.getByText(/posted up to record|Done|in place/i).first().waitFor();
    assert.equal((await api("GET", "/admin/rebuild")).state, "done");
  },

  // By the keyboard alone: past the places to the content, and to another view.
  async keyboard() {
    const page = await open();
    await go(page, "overview");
    await settled(page);
    await page.keyboard.press("Tab");
    assert.equal(await page.evaluate(() => document.activeElement.className), "skip");
    await page.keyboard.press("Enter");
    assert.equal(await page.evaluate(() => document.activeElement.id), "main");
    await page.getByRole("link", { name: "Persons", exact: true }).focus();
    await page.keyboard.press("Enter");
    await page.locator("#person-search").waitFor();
  },

  // Asked for once it is needed; kept for the tab, and for no other.
  async token() {
    const page = await open({ refused: [401] });
    await go(page, "overview");
    const dialog = page.getByRole("dialog");
    await dialog.locator("input").fill(ADMIN);
    await dialog.getByRole("button", { name: "Continue" }).click();
    await page.getByText("Head of the log").waitFor();
    await page.reload();
    await page.getByText("Head of the log").waitFor();
    assert.equal(await page.getByRole("dialog").count(), 0);
    await go(page, "operations");
    await page.getByText("Make a token").click();
    await page.getByLabel("Name").fill("visitor");
    await page.getByLabel(/^read/).first().check();
    await page.getByRole("button", { name: "Make it" }).click();
    const secret = await page.getByText(/dbk_[\w-]{43}/).first().textContent();
    assert((await api("GET", "/persons?limit=1", undefined, secret.match(/dbk_[\w-]{43}/)[0])) !== null);
    const other = await page.context().newPage();
    await other.goto(`${ORIGIN}/console`);
    await other.getByRole("dialog").waitFor();
  },

  // How long until there is something of the store to see.
  async paint() {
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
  },
};

const name = process.argv[2];
try {
  await scenarios[name]();
} catch (error) {
  wrong.push(error.stack);
  const page = browser.contexts().at(-1)?.pages().at(-1);
  if (page) wrong.push((await page.locator("body").innerText()).slice(0, 2000));
} finally {
  await browser.close();
}
if (wrong.length) {
  console.error(wrong.join("\n"));
  process.exit(1);
}
