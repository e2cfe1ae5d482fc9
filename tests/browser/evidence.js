// What a page showed when an action failed: its text in the message, its picture in a folder.
// console: clicking on "#no": timed out after 200ms: no element matches #no; the page shows "Out of order Try again", see .../shots/...-1.png
// console: waiting for "#no": timed out after 200ms: no element matches #no; the page shows "Out of order Try again", see .../shots/...-2.png
// console: typing "x" in "b": strict mode violation, multiple elements returned for selector query
import { browser } from 'k6/browser';

export const options = { scenarios: { ui: { executor: 'shared-iterations', options: { browser: { type: 'chromium' } } } } };

export default async function () {
  const page = await browser.newPage();
  await page.setContent('<h1>Out of order</h1><button>Try again</button><b></b><b></b>');
  for (const f of [() => page.click('#no', { timeout: 200 }), () => page.locator('#no').waitFor({ timeout: 200 }), () => page.locator('b').type('x')]) {
    try {
      await f();
    } catch (error) {
      console.log(error.message);
    }
  }
  await page.close();
}
