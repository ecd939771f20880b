// The page /docs in a real browser: it finds the operations, authorises, sends a request, shows the answer, and
// complains of nothing. scripts/contract runs it with the server's address, a token and the document.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

import { chromium } from "playwright-core";

const { API, LEAD, DOCUMENT, CHROMIUM } = process.env;
const document = JSON.parse(readFileSync(DOCUMENT, "utf8"));
// The page shows what webhooks send as operations, too.
const shown = [document.paths, document.webhooks ?? {}].flatMap((places) => Object.values(places));
const operations = shown.flatMap((methods) => Object.keys(methods));

const browser = await chromium.launch({
  executablePath: CHROMIUM,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});
try {
  const page = await browser.newPage();
  page.setDefaultTimeout(60_000);
  const complaints = [];
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("requestfailed", (request) => complaints.push(`${request.url()} failed`));
  page.on("request", (request) => request.url().startsWith(API) || /^(data|blob):/.test(request.url()) || complaints.push(`asks another site: ${request.url()}`));

  await page.goto(`${API}/docs`);
  await page.locator(".opblock").first().waitFor();
  assert.equal(await page.locator(".opblock").count(), operations.length, "every operation is shown");

  await page.getByRole("button", { name: "Authorize" }).first().click();
  const dialog = page.locator(".modal-ux");
  await dialog.locator("input[type=text]").first().fill(LEAD);
  await dialog.getByRole("button", { name: "Apply credentials" }).first().click();
  await dialog.getByRole("button", { name: "Close" }).first().click();

  // Only who is authorised may ask this.
  const operation = page.locator("#operations-memberships-listMemberships");
  await operation.locator(".opblock-summary-control").click();
  await operation.getByRole("button", { name: "Try it out" }).click();
  const answered = page.waitForResponse((response) => response.url().startsWith(`${API}/v1/memberships`));
  await operation.getByRole("button", { name: "Execute" }).click();
  assert.equal((await answered).status(), 200);
  const shown = operation.locator(".live-responses-table");
  await shown.locator(".response-col_status", { hasText: "200" }).waitFor();
  assert.match(await shown.locator(".response-col_description pre").first().innerText(), /"items": \[\]/);

  assert.deepEqual(complaints, []);
} finally {
  await browser.close();
}
