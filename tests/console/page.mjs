// What scenarios are made of: pages of one Chromium, what is held against each, the API, and
// the test beside it, which does to the server what a browser cannot.
import { strict as assert } from "node:assert";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

export const { ORIGIN, CHROMIUM, SHOTS, ADMIN } = process.env;
export const VIEWS = ["overview", "live", "persons", "events", "insight", "operations"];
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const PATIENCE = 60_000;

export const wrong = [];
export const browser = await chromium.launch({
  executablePath: CHROMIUM, args: ["--no-sandbox"],
});

// A page of its own, in a tab that nobody has used. Answers that are refused on purpose are
// errors to Chromium: `refused` says which.
export async function open({ width = 1280, height = 900, scheme = "light", refused = [], token } = {}) {
  const context = await browser.newContext({
    viewport: { width, height }, colorScheme: scheme, acceptDownloads: true,
  });
  if (token)
    await context.addInitScript((its) => sessionStorage.setItem("daybook.token", its), token);
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE);
  page.on("console", (message) => {
    const said = `${message.text()} ${message.location().url}`;
    if (message.type() === "error" && !refused.some((status) => said.includes(`status of ${status}`)))
      wrong.push(`the browser says: ${said}`);
  });
  page.on("pageerror", (error) => wrong.push(`a script failed: ${error.stack}`));
  page.on("request", (request) => {
    if (!request.url().startsWith(`${ORIGIN}/`) && !request.url().startsWith("data:") &&
        !request.url().startsWith(`blob:${ORIGIN}/`))
      wrong.push(`asked elsewhere: ${request.url()}`);
  });
  return page;
}

export const close = (page) => page.context().close();

export const go = (page, place) => page.goto(`${ORIGIN}/console#/${place}`);

// Without what is still on its way: the view has its heading, and nothing says "loading".
export async function settled(page) {
  await page.locator("main h1").waitFor();
  await page.waitForFunction(() => !document.querySelector("main [aria-busy=true]"));
}

// f(page, "1280-light") for both widths and both schemes.
export async function everyLook(f, options = {}) {
  for (const [width, height] of [[1280, 900], [360, 780]])
    for (const scheme of ["light", "dark"]) {
      const page = await open({ width, height, scheme, ...options });
      await f(page, `${width}-${scheme}`);
      await close(page);
    }
}

export async function axe(page, name) {
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() =>
    window.axe.run(document, {
      runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    }),
  );
  for (const { id, nodes } of violations)
    wrong.push(`${name}: axe finds ${id}: ${nodes.map((node) => node.html).slice(0, 3).join(" ")}`);
}

// Nothing is wider than the window, no cell of a table lies out of sight unless its table says
// that it is scrolled, and no text of a client is cut off but where "…" says so.
export async function fits(page, name) {
  const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  if (over > 0) wrong.push(`${name}: ${over} px wider than the window`);
  const hidden = await page.evaluate(() =>
    [...document.querySelectorAll("main td, main dd, main h1, main h2, main li")]
      .filter((each) => each.offsetParent && !each.closest(".scroll[tabindex], .uplot"))
      .filter((each) => each.getBoundingClientRect().right > innerWidth + 1)
      .map((each) => each.outerHTML.slice(0, 120)));
  if (hidden.length) wrong.push(`${name}: out of sight: ${hidden.slice(0, 3).join(" ")}`);
}

// A view as it is looked at: it fits, axe finds nothing, and it is kept as a picture.
export async function look(page, name) {
  await page.waitForTimeout(300); // charts are drawn in the next frames
  await fits(page, name);
  await axe(page, name);
  const narrow = page.viewportSize().width < 1280;
  await page.screenshot({ path: `${SHOTS}/${name}.png`, fullPage: narrow });
}

// As a client of the API, outside the browser.
export async function api(method, path, body, token = ADMIN) {
  const answer = await fetch(ORIGIN + path, {
    method,
    headers: { "Content-Type": "application/json", ...(token && { Authorization: `Bearer ${token}` }) },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const json = await answer.json();
  assert(answer.ok, `${method} ${path}: ${JSON.stringify(json.response)}`);
  return json.data;
}

export const person = (email, more = {}) =>
  api("POST", "/persons", { email: `${email}@marauders.mock`, first_name: "Kitty", last_name: "Pryde", ...more });

export const event = (type, whose, more = {}) =>
  api("POST", "/events", { event_type: type, person_id: whose.id, ...more });

// Have the test that runs this do something; it is done when this resolves.
let answers;
export async function please(what) {
  answers ??= createInterface({ input: process.stdin })[Symbol.asyncIterator]();
  console.log(`please: ${what}`);
  assert.equal((await answers.next()).value, "done", what);
}
