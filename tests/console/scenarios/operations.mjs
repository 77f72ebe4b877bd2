// What operators do: a rebuild watched, who is quarantined tried again.
import { strict as assert } from "node:assert";
import { api, go, look, open, please, settled } from "../page.mjs";

// Begun by a button, and watched to its end, which the test holds up for a while.
export async function rebuild() {
  const page = await open();
  await go(page, "operations");
  await page.getByRole("button", { name: "Rebuild the tables" }).click();
  const card = page.locator(".card", { has: page.getByRole("heading", { name: "Rebuild" }) });
  await card.getByText("waiting for others").waitFor();
  await card.locator("progress").waitFor();
  await card.getByRole("button", { name: "Stop it" }).waitFor();
  await page.getByRole("button", { name: "Rebuild the tables" }).waitFor({ state: "detached" });
  await look(page, "rebuild-running");
  const other = await open(); // who comes later sees the same
  await go(other, "operations");
  await other.getByText("waiting for others").waitFor();
  await please("let it go on");
  await card.getByText(/done\. \d+ persons and [\d,]+ events in/).waitFor();
  await other.getByText(/done\. \d+ persons and [\d,]+ events in/).waitFor();
  await card.locator("progress").waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Rebuild the tables" }).waitFor();
  assert.equal((await api("GET", "/admin/rebuild")).state, "done");
}

// Stopped by the button.
export async function stopped() {
  const page = await open();
  await go(page, "operations");
  await page.getByRole("button", { name: "Rebuild the tables" }).click();
  await page.getByText("waiting for others").waitFor();
  await page.getByRole("button", { name: "Stop it" }).click();
  await page.getByText(/stopped\./).waitFor();
  await page.getByRole("button", { name: "Rebuild the tables" }).waitFor();
}

// Listed with the reason, told in the overview; tried again once the cause is mended.
export async function quarantine() {
  const page = await open({ refused: [503] }); // reads wait for who is set aside
  await go(page, "overview");
  await page.getByText(/3 quarantined/).waitFor();
  await go(page, "operations");
  await settled(page);
  const card = page.locator(".card", { has: page.getByRole("heading", { name: "Quarantine" }) });
  await card.getByText("no_bad").first().waitFor();
  assert.equal(await card.locator("tbody tr").count(), 3);
  await look(page, "quarantine-1280-light");
  const narrow = await open({ width: 360, height: 780, scheme: "dark" });
  await go(narrow, "operations");
  await narrow.getByText("no_bad").first().waitFor();
  await look(narrow, "quarantine-360-dark");
  await please("mend it");
  await card.getByRole("button", { name: "Try them again" }).click();
  await card.getByText("3 tried again").waitFor();
  await card.getByText("Nobody is set aside").waitFor();
  assert.equal((await api("GET", "/admin/quarantine")).length, 0);
}
