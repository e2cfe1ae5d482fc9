// Elements of a page that has been closed: every call is rejected at once.
// console: locator clicking on "button": Target page, context or browser has been closed
// console: frames getting text content of "iframe >> internal:control=enter-frame >> p": Target page, context or browser has been closed
// console: handle true
// console: count counting elements of "button": Target page, context or browser has been closed
// console: waiting true
// console: keyboard true
import { browser } from 'k6/browser';

export const options = { scenarios: { ui: { executor: 'shared-iterations', options: { browser: { type: 'chromium' } } } } };

export default async function () {
  const page = await browser.newPage();
  await page.setContent('<button>b</button><iframe srcdoc="<p>p</p>"></iframe>');
  const handle = await page.$('button');
  const fails = async (f) => {
    try {
      return `no error ${await f()}`;
    } catch (error) {
      return String(error);
    }
  };
  const waiting = fails(() => page.locator('#never').click());
  await page.close();
  console.log('locator', await fails(() => page.locator('button').click()));
  console.log('frames', await fails(() => page.frameLocator('iframe').locator('p').textContent()));
  console.log('handle', (await fails(() => handle.click())).startsWith('clicking on element: '));
  console.log('count', await fails(() => page.locator('button').count()));
  console.log('waiting', (await waiting).startsWith('clicking on "#never": '));
  console.log('keyboard', (await fails(() => page.keyboard.press('a'))).startsWith('pressing key: '));
}
