// Drives /console in Chromium: node drive.mjs SCENARIO, the rest by its environment. What is
// wrong ends it with a sentence; so does an error in the browser's console, or a request to
// another origin than the server's.
import { browser, wrong } from "./page.mjs";
import * as looks from "./scenarios/looks.mjs";
import * as operations from "./scenarios/operations.mjs";
import * as tokens from "./scenarios/tokens.mjs";
import * as visits from "./scenarios/visits.mjs";

const scenarios = { ...looks, ...operations, ...tokens, ...visits };

try {
  await scenarios[process.argv[2]]();
} catch (error) {
  wrong.push(error.stack);
  const page = browser.contexts().at(-1)?.pages().at(-1);
  if (page) wrong.push((await page.locator("body").innerText()).slice(0, 2000));
} finally {
  await browser.close();
}
if (wrong.length) console.error(wrong.join("\n"));
process.exit(wrong.length ? 1 : 0);
