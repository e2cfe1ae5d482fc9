// An action waits for the document it leads to; who waits for a navigation right after it means that one.
// console: link second
// console: form submitted
// console: script second
// console: enter submitted
// console: reload again 2
// console: slow second
// console: after second 200
// console: together second
// console: twice second home
// console: frame inner frame second
// console: no document same
// console: hash #part
import { browser } from 'k6/browser';

export const options = { scenarios: { ui: { executor: 'shared-iterations', options: { browser: { type: 'chromium' } } } } };

const HOME = '<h1>home</h1><a id="a" href="/second">s</a><form action="/submitted"><input name="q"><button id="f">f</button></form><button id="s" onclick="location.href = \'/second\'">s</button><button id="r" onclick="location.reload()">r</button><a id="slow" href="/slow">slow</a><a id="none" href="/none">n</a><a id="hash" href="#part">h</a><iframe src="/inner"></iframe>';
const PAGES = { '/': HOME, '/second': '<h1>second</h1><a id="b" href="/">h</a>', '/submitted': '<h1>submitted</h1>', '/inner': '<p>inner</p><a href="/second">s</a>', '/slow': '<h1>second</h1>' };

export default async function () {
  const page = await browser.newPage();
  let reloads = 0;
  await page.route(/^http:\/\/site\.test\//, async (route) => {
    const path = /^http:\/\/site\.test([^?]*)/.exec(route.request().url())[1];
    if (path === '/') reloads++;
    if (path === '/slow') await new Promise((resolve) => setTimeout(resolve, 300));
    if (path === '/none') await route.fulfill({ status: 204 });
    else await route.fulfill({ contentType: 'text/html', body: PAGES[path] });
  });
  const home = () => page.goto('http://site.test/');
  const heading = () => page.evaluate(() => document.querySelector('h1').textContent);
  await home(); await page.click('#a'); console.log('link', await heading());
  await home(); await page.locator('#f').click(); console.log('form', await heading());
  await home(); await page.click('#s'); console.log('script', await heading());
  await home(); await page.locator('input').press('Enter'); console.log('enter', await heading());
  await home(); reloads = 1; await page.click('#r'); await page.waitForLoadState(); console.log('reload', 'again', reloads);
  await home(); await page.click('#slow'); console.log('slow', await heading());
  await home(); await page.click('#a'); const response = await page.waitForNavigation(); console.log('after', await heading(), response.status());
  await home(); await Promise.all([page.waitForNavigation(), page.click('#a')]); console.log('together', await heading());
  await home(); await page.click('#a'); const first = await heading(); await Promise.all([page.waitForNavigation(), page.click('#b')]); console.log('twice', first, await heading());
  await home(); const inside = await page.frameLocator('iframe').locator('p').textContent(); await page.frameLocator('iframe').locator('a').click(); console.log('frame', inside, 'frame', await page.frames()[1].evaluate(() => document.querySelector('h1').textContent));
  await home(); await page.click('#none'); console.log('no document', (await heading()) === 'home' ? 'same' : 'other');
  await page.click('#hash'); console.log('hash', await page.evaluate(() => location.hash));
  await page.close();
}
