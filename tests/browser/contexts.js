// Contexts and pages: one context at a time, several pages in one, also opened at the same time; what is closed says so at once.
// console: no context yet true
// console: new page: existing browser context must be closed before creating a new one
// console: existing browser context must be closed before creating a new one
// console: 3 Home,Second,Home
// console: true 2 Target page, context or browser has been closed
// console: Error true message
// console: null cannot close context as none is active in browser
// console: a b=2 1 0
// console: popup Second true
import { browser } from 'k6/browser';

export const options = { scenarios: { ui: { executor: 'shared-iterations', options: { browser: { type: 'chromium' } } } } };

const failure = async (f) => { try { await f(); return 'no error'; } catch (e) { return e; } };

export default async function () {
  console.log('no context yet', browser.context() === null);
  const first = await browser.newPage();
  console.log(String(await failure(() => browser.newPage())));
  console.log(String(await failure(() => browser.newContext())));
  const context = browser.context();
  const [second, third] = await Promise.all([context.newPage(), context.newPage()]);
  await Promise.all([first.goto(`${__ENV.PAGES}/home`), second.goto(`${__ENV.PAGES}/second`), third.goto(`${__ENV.PAGES}/home`)]);
  console.log(context.pages().length, (await Promise.all([first.title(), second.title(), third.title()])).join());
  await third.close();
  const error = await failure(() => third.title());
  console.log(third.isClosed(), context.pages().length, String(error));
  console.log(error instanceof Error ? 'Error' : typeof error, error.message === String(error), 'message');
  await browser.closeContext();
  console.log(browser.context(), String(await failure(() => browser.closeContext())));

  const own = await browser.newContext();
  await own.addCookies([{ name: 'a', value: '1', url: `${__ENV.PAGES}/home` }, { name: 'b', value: '2', domain: '127.0.0.1', path: '/sub' }]);
  const names = (list) => list.map((cookie) => cookie.name).join();
  const below = (await own.cookies(`${__ENV.PAGES}/sub/page`)).filter((cookie) => cookie.name === 'b');
  console.log(names(await own.cookies(`${__ENV.PAGES}/subway`)), below.map((cookie) => `${cookie.name}=${cookie.value}`).join(), (await own.cookies(__ENV.PAGES)).length,
    (await own.clearCookies(), await own.cookies()).length);
  const page = await own.newPage();
  await page.goto(`${__ENV.PAGES}/home`);
  const [popup] = await Promise.all([own.waitForEvent('page'), page.evaluate((url) => { window.open(url); }, `${__ENV.PAGES}/second`)]);
  await popup.waitForLoadState();
  console.log('popup', await popup.title(), (await popup.opener()) === page);
}
