// Frames of other sites, in a browser that was there before and gives each site a process of its own: requests and where frames go.
// console: requests first home missing, answers 200 200 404, finished 3, of the frame true
// console: header yes, answered made up
// console: goto home one.test 200 true
// console: goto third third.test 200 true
// console: goto middle other.test 200 true
// console: link second, link home, address third
// console: waited for later, handle true
// console: idle middle
// console: back top with 5: in the middle / near / deep down / beside
// console: reloaded with 5: in the middle
// console: named 2, failed 1
import { browser } from 'k6/browser';

export const options = {
  scenarios: { ui: { executor: 'shared-iterations', options: { browser: { type: 'chromium' } } } },
  thresholds: { 'browser_http_req_failed{name:named}': ['rate<1'] },
};

const [one, other, third] = ['one', 'other', 'third'].map((name) => __ENV.PAGES.replace('127.0.0.1', `${name}.test`));
const site = (base, title, body = '') => `${base}/site?title=${title}&body=${encodeURIComponent(body)}`;
const frame = (id, address) => `<iframe id="${id}" src="${address.replaceAll('&', '&amp;')}"></iframe>`;
const link = (id, address) => `<a id="${id}" href="${address.replaceAll('&', '&amp;')}">${id}</a>`;

const MIDDLE = site(other, 'middle', `<p>in the middle</p>${link('second', site(other, 'second'))} ${link('home', site(one, 'home'))}
  ${frame('near', site(other, 'near', '<p>near</p>'))}${frame('deep', site(one, 'deep', '<p>deep down</p>'))}`);
const TOP = site(one, 'top', frame('m', MIDDLE) + frame('beside', site(one, 'beside', '<p>beside</p>')));

export default async function () {
  const page = await browser.newPage();
  await page.goto(TOP);
  const m = page.frames().find((it) => it.url().startsWith(other));
  const middle = page.frameLocator('#m');

  const seen = { request: [], response: [], requestfinished: [] };
  for (const name of Object.keys(seen)) page.on(name, (it) => seen[name].push(it));
  page.on('metric', (metric) => metric.tag({ name: 'named', matches: [{ url: /missing|routed/ }] }));
  await m.goto(site(other, 'first'));
  await m.goto(site(one, 'home'));
  await m.goto(site(other, 'first'));
  await Promise.all([page.waitForEvent('requestfinished', (it) => it.url().endsWith('missing')), m.evaluate(() => fetch('/missing'))]);
  const nameOf = (it) => /title=(\w+)|(missing)/.exec(it.url()).slice(1).join('');
  const once = [0, 1, 3];
  console.log('requests', `${once.map((at) => nameOf(seen.request[at])).join(' ')}, answers ${once.map((at) => seen.response[at].status()).join(' ')}, finished ${seen.requestfinished.length - 1}, of the frame`, seen.request.every((it) => it.frame() === m));
  await page.setExtraHTTPHeaders({ 'x-mine': 'yes' });
  let header;
  await page.route(/routed/, async (route) => {
    header = await route.request().headerValue('x-mine');
    await route.fulfill({ body: 'made up' });
  });
  const answered = await m.evaluate(() => fetch('/routed').then((response) => response.text()));
  console.log('header', `${header}, answered`, answered);
  await page.unrouteAll();

  for (const [base, title] of [[one, 'home'], [third, 'third'], [other, 'middle']]) {
    const answer = await m.goto(title === 'middle' ? MIDDLE : site(base, title));
    console.log('goto', await m.title(), await m.evaluate(() => location.hostname), answer.status(), (await answer.text()).includes('given.get'));
  }
  // What a click leads to begins to load before the click is over.
  await middle.locator('#second').click();
  const second = await m.title();
  await m.goto(MIDDLE);
  await Promise.all([m.waitForNavigation(), middle.locator('#home').click()]);
  const home = await m.title();
  await Promise.all([m.waitForURL(/third/), page.evaluate((address) => { document.querySelector('#m').src = address; }, site(third, 'third'))]);
  console.log('link', `${second}, link ${home}, address ${await m.title()}`);
  const waits = Promise.all([m.waitForSelector('#later'), m.locator('#later').textContent(), m.waitForFunction(() => document.title === 'there')]);
  await m.evaluate((address) => { location.href = address; }, site(other, 'there', '<b id="later">later</b>'));
  const [handle, text, isThere] = await waits;
  console.log('waited for', `${text}, handle`, (await handle.textContent()) === text && (await isThere.jsonValue()));
  await m.goto(MIDDLE, { waitUntil: 'networkidle' });
  await page.waitForLoadState('networkidle');
  console.log('idle', await m.title());

  await page.goto(site(third, 'third'));
  await page.goBack();
  const texts = [middle.locator('p'), middle.frameLocator('#near').locator('p'), middle.frameLocator('#deep').locator('p'), page.frameLocator('#beside').locator('p')];
  console.log('back', await page.title(), `with ${page.frames().length}: ${(await Promise.all(texts.map((it) => it.textContent()))).join(' / ')}`);
  await page.reload();
  console.log('reloaded', `with ${page.frames().length}: ${await texts[0].textContent()}`);
  await page.close();
}

export function handleSummary({ metrics }) {
  const { passes, fails } = metrics['browser_http_req_failed{name:named}'].values;
  console.log(`named ${passes + fails}, failed ${passes}`);
  return {};
}
