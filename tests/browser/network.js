// Requests and routes: events in their order, a route that only looks, one that never answers, an unknown code, a page that closes meanwhile.
// console: request response requestfinished 404
// console: yes fetch 404 true
// console: unknown error code: nosuch
// console: mine text/plain 201
// console: requestfailed net::ERR_BLOCKED_BY_CLIENT...
// console: navigating page: navigating frame to "...home": navigating to "...home": timed out after 300ms
// console: closed
import { browser } from 'k6/browser';

export const options = { scenarios: { ui: { executor: 'shared-iterations', options: { browser: { type: 'chromium' } } } } };

export default async function () {
  const page = await browser.newPage();
  await page.goto(`${__ENV.PAGES}/home`);
  const seen = [];
  for (const name of ['request', 'response', 'requestfinished']) page.on(name, (it) => seen.push(name, ...(name === 'requestfinished' ? [it] : [])));
  const [response] = await Promise.all([page.waitForResponse(/missing/), page.evaluate(() => fetch('/missing?x=1', { headers: { 'X-Mine': 'yes' } }).then((r) => r.text()))]);
  await page.waitForTimeout(200);
  const [a, b, c, finished] = seen;
  console.log(a, b, c, (await finished.response()).status());
  console.log(await finished.headerValue('x-mine'), finished.resourceType().toLowerCase(), response.status(), response.request() === finished);

  await page.route(/never/, () => {});
  await page.route(/mine/, async (route) => {
    try { await route.abort('nosuch'); } catch (error) { console.log(String(error)); }
    await route.fulfill({ status: 201, contentType: 'text/plain', body: 'mine' });
  });
  console.log(await page.evaluate(() => fetch('/mine').then(async (r) => `${await r.text()} ${r.headers.get('content-type')} ${r.status}`)));
  await page.route(/blocked/, (route) => route.abort('blockedbyclient'));
  const failed = new Promise((resolve) => page.on('requestfailed', resolve));
  await page.evaluate(() => fetch('/blocked').catch(() => {}));
  console.log('requestfailed', (await failed).failure().errorText);
  // What a handler leaves alone does not keep the page from closing.
  await page.route(/home/, () => {});
  try { await page.goto(`${__ENV.PAGES}/home`, { timeout: 300 }); } catch (error) { console.log(String(error)); }
  await page.close();
  console.log('closed');
}
