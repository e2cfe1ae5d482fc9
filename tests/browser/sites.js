// Frames of other sites, in a browser that was there before and gives each site a process of its own: what is in them, and what
// is done there.
// console: frames top middle deep, parents true true, named m
// console: evaluated other.test one.test one.test, early other.test one.test, Mine Mine
// console: elements true m true d true
// console: texts in the middle, deep down
// console: hit 1 in the middle, 1 deep down, 1 below, 0 around
// console: typed some text, chosen b, checked true, files a.txt
// console: box true true
// console: console said in the middle, said deep down; of the page false false
// console: sandboxed in a box, boxed, out of sight 1
// console: workers 1, popup popup, opened by the page true
// console: error evaluating JS: Error: thrown there...
// console: error clicking on "#m >> internal:control=enter-frame >> #gone": timed out after 300ms: no element matches #gone
// console: error evaluating JS: Argument should belong to the same JavaScript world as target object
// console: removed evaluating JS: Execution context was destroyed. true true, left 3
import { chromium } from 'k6/browser';

const [one, other] = ['one', 'other'].map((name) => __ENV.PAGES.replace('127.0.0.1', `${name}.test`));
const site = (base, title, body = '') => `${base}/site?title=${title}&body=${encodeURIComponent(body)}`;
const frame = (id, address, style) => `<iframe id="${id}" name="${id}" src="${address.replaceAll('&', '&amp;')}" style="${style}"></iframe>`;
const button = (name) => `<button onclick="window.hits=(window.hits||0)+1;console.log('${name}')">b</button>`;

const DEEP = site(one, 'deep', `<p>deep down</p>${button('said deep down')}`);
const MIDDLE = site(other, 'middle', `<p>in the middle</p>${button('said in the middle')}<input id="text"><input id="box" type="checkbox"><input id="file" type="file">
  <select><option>a</option><option>b</option></select><a id="popup" target="_blank" rel="opener" href="/site?title=popup">popup</a>
  ${frame('d', DEEP, 'margin:11px;border:3px solid')}<div style="height:3000px"></div><button id="low" onclick="window.lows=(window.lows||0)+1">low</button>`);
const TOP = site(one, 'top', `<h1>top</h1>${frame('m', MIDDLE, 'margin:30px;border:5px solid;padding:7px;width:600px;height:350px;transform:scale(0.9)')}
  <iframe id="s" sandbox="allow-scripts" srcdoc="<p>in a box</p><button onclick='document.title=&quot;boxed&quot;'>b</button>"></iframe>
  <div style="height:3000px"></div>${frame('far', site(other, 'far', `<div style="height:1000px"></div>${button('far')}`), 'margin:9px')}
  <script>addEventListener('click', () => { window.hits = 1; })</script>`);

const near = (a, b) => Math.abs(a - b) < 0.5;
const fails = async (job) => {
  try {
    console.log(await job());
  } catch (error) {
    console.log('error', error.message);
  }
};

export default async function () {
  const browser = await chromium.connectOverCDP(__ENV.BROWSER);
  const context = await browser.newContext({ userAgent: 'Mine' });
  await context.addInitScript(() => { window.early = location.hostname; });
  const page = await context.newPage();
  const said = [];
  page.on('console', (message) => said.push(message));
  await page.goto(TOP);
  const [top, m, s, far, d] = page.frames();
  const [middle, deep] = [page.frameLocator('#m'), page.frameLocator('#m').frameLocator('#d')];

  console.log('frames', await top.title(), await m.title(), `${await d.title()}, parents`, m.parentFrame() === top, `${d.parentFrame() === m}, named`, m.name());
  const seen = [];
  for (const it of [m, d, top]) seen.push(await it.evaluate(() => [location.hostname, window.early, navigator.userAgent]));
  console.log('evaluated', `${seen.map(([host]) => host).join(' ')}, early ${seen[0][1]} ${seen[1][1]}, ${seen[0][2]} ${seen[1][2]}`);
  const [mine, nested] = [await m.frameElement(), await d.frameElement()];
  console.log('elements', (await mine.contentFrame()) === m, await mine.getAttribute('id'), (await nested.contentFrame()) === d, await nested.getAttribute('id'), (await (await m.$('#d')).contentFrame()) === d);
  console.log('texts', `${await middle.locator('p').textContent()}, ${await deep.locator('p').textContent()}`);

  await middle.locator('button').first().click();
  await deep.locator('button').click();
  await middle.locator('#low').click();
  const hits = (it) => it.evaluate(() => window.hits ?? 0);
  console.log('hit', await hits(m), 'in the middle,', await hits(d), 'deep down,', await m.evaluate(() => window.lows), 'below,', await hits(top), 'around');
  await middle.locator('#text').fill('some');
  await middle.locator('#text').press('End');
  await page.keyboard.type(' te');
  await middle.locator('#text').pressSequentially('xt');
  const [chosen] = await middle.locator('select').selectOption('b');
  await middle.locator('#box').check();
  await middle.locator('#file').setInputFiles({ name: 'a.txt', mimeType: 'text/plain', buffer: 'aGk=' });
  const files = await middle.locator('#file').evaluate((input) => input.files[0].name);
  console.log('typed', `${await middle.locator('#text').inputValue()}, chosen ${chosen}, checked ${await middle.locator('#box').isChecked()}, files ${files}`);
  const [box, outer, inner] = [await deep.locator('button').boundingBox(), await middle.locator('#d').boundingBox(), await deep.locator('button').evaluate((it) => it.getBoundingClientRect().toJSON())];
  console.log('box', near(box.x, outer.x + 0.9 * (3 + inner.x)) && near(box.y, outer.y + 0.9 * (3 + inner.y)), near(box.width, 0.9 * inner.width));
  const ofPage = [];
  for (const message of said) ofPage.push(await message.args()[0].evaluate(() => window === window.top));
  console.log('console', `${said.map((message) => message.text()).join(', ')}; of the page`, ...ofPage);

  await page.frameLocator('#s').locator('button').click();
  await page.frameLocator('#far').locator('button').click();
  console.log('sandboxed', `${await page.frameLocator('#s').locator('p').textContent()}, ${await s.title()}, out of sight`, await hits(far));
  await m.evaluate(() => new Promise((resolve) => {
    window.worker = new Worker(URL.createObjectURL(new Blob(['postMessage(1)'])));
    window.worker.onmessage = () => resolve();
  }));
  const [popup] = await Promise.all([context.waitForEvent('page'), middle.locator('#popup').click()]);
  await popup.waitForLoadState();
  console.log('workers', `${page.workers().length}, popup ${await popup.title()}, opened by the page`, (await popup.opener()) === page);
  await popup.close();

  await fails(() => m.evaluate(() => { throw new Error('thrown there'); }));
  await fails(() => middle.locator('#gone').click({ timeout: 300 }));
  await fails(async () => page.evaluate((body) => body.tagName, await m.evaluateHandle(() => document.body)));
  const rejected = m.evaluate(() => new Promise(() => {})).catch((error) => error.message);
  await page.evaluate(() => document.querySelector('#m').remove());
  console.log('removed', await rejected, m.isDetached(), `${d.isDetached()}, left`, page.frames().length);
  await page.close();
  await browser.close();
}
