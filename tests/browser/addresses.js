// Addresses are found by their text, by globs and by regular expressions; requests and responses by functions too. Every action says what it did in the same form.
// console: /home?tab=1
// console: true true
// console: second 200
// console: /missing/a/b.json mocked
// console: /missing/b.txt not mocked
// console: /missing/%7Bx%7D mocked
// console: open { brace: 404
// console: GoError: an address is found by a text, a glob or a regular expression, not by a function x 4
// console: waiting for navigation to URL matching "'**/nowhere*'": timed out after 100ms
// console: click: clicking on ... dblclick: double clicking on ... hover: hovering on ... tap: tapping on ... focus: focusing on ... check: checking ... uncheck: unchecking ... type: typing "x" in ... press: pressing "x" on ... fill: filling ... with "x"
import { browser } from 'k6/browser';

export const options = { scenarios: { ui: { executor: 'shared-iterations', options: { browser: { type: 'chromium' } } } } };

const failure = async (f) => { try { await f(); return 'no error'; } catch (e) { return String(e); } };

export default async function () {
  const page = await browser.newPage();
  const home = `${__ENV.PAGES}/home`;
  const go = (url) => page.evaluate((to) => { location.href = to; }, url);
  await page.goto(home);
  await Promise.all([page.waitForURL('**/home?tab=*'), go(`${home}?tab=1`)]);
  console.log(page.url().replace(__ENV.PAGES, ''));
  const ask = (path) => page.evaluate((to) => fetch(to).then(async (r) => (r.status === 404 ? 'not mocked' : r.text())), path);
  const [request, response] = await Promise.all([
    page.waitForRequest((it) => it.url().endsWith('?by=function')), page.waitForResponse((it) => it.status() === 404 && it.url().includes('?by')), ask('/none?by=function'),
  ]);
  console.log(request.method() === 'GET', response.url() === request.url());
  const [landed] = await Promise.all([page.waitForNavigation({ url: '**/{second,third}' }), go(`${__ENV.PAGES}/second`)]);
  console.log((await page.title()).toLowerCase(), landed.status());

  await page.route('**/missing/**/*.json', (route) => route.fulfill({ body: 'mocked' }));
  console.log('/missing/a/b.json', await ask('/missing/a/b.json'));
  console.log('/missing/b.txt', await ask('/missing/b.txt'));
  await page.route('**/missing/%7Bx%7D', (route) => route.fulfill({ body: 'mocked' }));
  console.log('/missing/%7Bx%7D', await ask('/missing/%7Bx%7D'));
  await page.unroute('**/missing/**/*.json');
  const [open] = await Promise.all([page.waitForResponse('**/open?a={'), ask('/missing/b.json').then(() => page.evaluate(() => new Promise((resolve) => {
    const socket = new XMLHttpRequest();
    socket.onloadend = resolve;
    socket.open('GET', '/open?a={');
    socket.send();
  })))]);
  console.log('open { brace:', open.status());

  const isIt = () => true;
  const refused = [() => page.waitForURL(isIt), () => page.waitForNavigation({ url: isIt }), () => page.unroute(isIt), () => page.route(isIt, () => {})];
  const texts = [];
  for (const f of refused) texts.push(await failure(async () => f()));
  console.log(new Set(texts).size === 1 ? `${texts[0]} x ${texts.length}` : texts);
  console.log(await failure(() => page.waitForURL('**/nowhere*', { timeout: 100 })));

  const timeout = 100;
  const given = { type: ['x'], press: ['x'], fill: ['x'] };
  const said = [];
  for (const name of ['click', 'dblclick', 'hover', 'tap', 'focus', 'check', 'uncheck', 'type', 'press', 'fill']) {
    const args = [...(given[name] ?? []), { timeout }];
    const words = [await failure(() => page[name]('#no', ...args)), await failure(() => page.mainFrame()[name]('#no', ...args)), await failure(() => page.locator('#no')[name](...args))];
    const end = ': timed out after 100ms';
    said.push(`${name}: ${words.every((text) => text === words[0] && text.endsWith(end)) ? words[0].slice(0, -end.length) : words.join(' / ')}`);
  }
  console.log(said.join(' ').replace(/"#no"/g, '...').replace(/internal\S+/g, ''));
}
