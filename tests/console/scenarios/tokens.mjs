// Where tokens are asked for: one is brought, made, revoked; and what one may not is told.
import { strict as assert } from "node:assert";
import { ADMIN, api, axe, close, everyLook, go, look, open, ORIGIN, settled } from "../page.mjs";

const { READER, AUDITOR, WEB } = process.env;

// Asked for once it is needed; kept for the tab, and for no other. Made and revoked.
export async function token() {
  await everyLook(async (page, name) => {
    await go(page, "persons");
    await page.getByRole("dialog").waitFor();
    await look(page, `dialog-token-${name}`);
    await page.getByRole("dialog").locator("input").fill("dbk_wrong");
    await page.keyboard.press("Enter");
    await page.getByText("The server does not know this token").waitFor();
    await page.getByRole("button", { name: "Not now" }).click();
    await page.getByText("This needs an access token.").waitFor();
    await axe(page, `without-${name}`);
  }, { refused: [401] });
  const page = await open({ refused: [401, 409] });
  await go(page, "overview");
  const dialog = page.getByRole("dialog");
  await dialog.locator("input").fill(ADMIN);
  await dialog.getByRole("button", { name: "Continue" }).click();
  await page.getByText("Head of the log").waitFor();
  await page.reload();
  await page.getByText("Head of the log").waitFor();
  assert.equal(await page.getByRole("dialog").count(), 0);
  await page.getByText("Forget token root").waitFor();
  await go(page, "operations");
  await page.getByText("Make a token").click();
  await page.getByLabel("Name").fill("visitor");
  await page.getByLabel(/^read/).first().check();
  await page.getByRole("button", { name: "Make it" }).click();
  const secret = (await page.getByText(/dbk_[\w-]{43}/).first().textContent()).match(/dbk_[\w-]{43}/)[0];
  assert((await api("GET", "/persons?limit=1", undefined, secret)) !== null);
  await look(page, "token-made-1280-light");
  await page.getByRole("button", { name: "Revoke visitor" }).click();
  const button = dialog.locator("button.danger");
  await dialog.locator("input").fill("visito");
  assert(await button.isDisabled());
  await look(page, "dialog-revoke-1280-light");
  await dialog.locator("input").fill("visitor");
  await button.click();
  await page.getByText("visitor is revoked.").waitFor();
  await page.getByRole("button", { name: "Revoke visitor" }).waitFor({ state: "detached" });
  const refused = await fetch(`${ORIGIN}/persons`, { headers: { Authorization: `Bearer ${secret}` } });
  assert.equal(refused.status, 401);
  await page.getByRole("button", { name: "Revoke root" }).click(); // the last one stays
  await dialog.locator("input").fill("root");
  const said = page.waitForResponse((answer) => answer.request().method() === "DELETE");
  await button.click();
  assert.equal((await said).status(), 409);
  await page.getByText("is the last token with the scope admin").waitFor();
  const other = await page.context().newPage();
  await other.goto(`${ORIGIN}/console`);
  await other.getByRole("dialog").waitFor();
}

// A token that only reads: what it may not is not offered, the reason is text, and nothing is
// asked that would be refused, which the browser would tell as an error.
export async function reader() {
  const [{ id }] = await api("GET", "/persons?limit=1");
  await everyLook(async (page, name) => {
    await go(page, `persons/${id}`);
    await settled(page);
    await page.getByText("Deleting needs a token with the scope write").waitFor();
    assert(await page.getByRole("button", { name: /^Delete/ }).isDisabled());
    await page.getByText("erasing takes the scope erase; exporting and restricting").waitFor();
    assert.equal(await page.getByRole("button", { name: /Erase|Export|Restrict/ }).count(), 0);
    await page.getByText("What was changed, and by whom, needs a token with the scope audit").waitFor();
    await look(page, `reader-person-${name}`);
    await go(page, "operations");
    await page.getByText("needs a token with the scope admin").waitFor();
    assert.equal(await page.locator("main .card").count(), 0);
    await look(page, `reader-operations-${name}`);
    await go(page, "live");
    await page.getByText("needs a token with the scope audit").waitFor();
    await go(page, "overview");
    await page.getByText("told to tokens that may read metrics").waitFor();
    await page.getByText("It begins now").waitFor();
    await page.locator(".legend").getByText("Records a second").waitFor();
    await look(page, `reader-overview-${name}`);
    for (const view of ["persons", "events", "insight"]) {
      await go(page, view);
      await settled(page);
      await page.locator("main .card").first().waitFor();
    }
  }, { token: READER });
  const auditor = await open({ token: AUDITOR });
  await go(auditor, "live");
  await auditor.locator(".record").first().waitFor();
  await go(auditor, "persons");
  await auditor.getByText("needs a token with the scope read").waitFor();
  await go(auditor, "overview");
  await auditor.getByText("This needs a token with the scope read").waitFor();
  await close(auditor);
  const web = await open({ token: WEB, refused: [403] });
  await go(web, "persons");
  await web.getByText("may send events only").waitFor();
}
