// Navigation: within a page, back and forth, by the page itself; responses; a frame's own navigation.
// console: null Home #part
// console: null /pushed
// console: Home Second
// console: 404 Missing
// console: Inner inner /inner?again 2
// console: waiting for navigation: timed out after 200ms
// console: true true
import { browser } from 'k6/browser';

export const options = { scenarios: { ui: { executor: 'shared-iterations', options: { browser: { type: 'chromium' } } } } };

const failure = async (f) => { try { await f(); return 'no error'; } catch (e) { return String(e); } };
const path = (page) => page.url().replace(__ENV.PAGES, '');

export default async function () {
  const page = await browser.newPage();
  await page.goto(`${__ENV.PAGES}/home`);
  console.log(String(await page.goto(`${__ENV.PAGES}/home#part`)), await page.title(), await page.evaluate(() => location.hash));
  const [within] = await Promise.all([page.waitForNavigation(), page.evaluate(() => { history.pushState({}, '', '/pushed'); })]);
  console.log(within, path(page));
  await page.goto(`${__ENV.PAGES}/home`);
  await page.goto(`${__ENV.PAGES}/second`);
  await page.goBack();
  const back = await page.title();
  await page.goForward();
  console.log(back, await page.title());
  const missing = await page.goto(`${__ENV.PAGES}/nowhere`);
  console.log(missing.status(), await page.title());
  await page.goto(`${__ENV.PAGES}/second`);
  const inner = page.frames().find((frame) => frame.name() === 'inner');
  await inner.goto(`${__ENV.PAGES}/inner?again`);
  console.log(await inner.title(), await inner.evaluate(() => document.getElementById('who').textContent), path(inner), page.frames().length);
  console.log(await failure(() => page.waitForNavigation({ timeout: 200 })));
  const begun = Date.now();
  const [response] = await Promise.all([page.waitForNavigation({ url: /home$/ }), page.evaluate((url) => { location.href = url; }, `${__ENV.PAGES}/home`)]);
  console.log(response.ok(), Date.now() - begun < 60000);
}
