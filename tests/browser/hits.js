// An element that another takes the place of between the look at it and the events: these are kept from the other one, and the action
// begins anew.
// console: click button pointerdown mousedown pointerup mouseup click
// console: with a key button pointerdown mousedown pointerup mouseup click
// console: dblclick button pointerdown mousedown pointerup mouseup click dblclick pointerdown mousedown pointerup mouseup click dblclick
// console: tap button pointerdown touchstart pointerup touchend
// console: check true box pointerdown mousedown pointerup mouseup click
// console: label true label pointerdown mousedown pointerup mouseup click
// console: frame button pointerdown mousedown pointerup mouseup click
// console: shadow host pointerdown mousedown pointerup mouseup click
// console: replaced by its handler new 1
// console: hover opens true
// console: hover again true
// console: link Home
// console: never clicking on "#button": timed out after 600ms: <button id="button"> was aimed at, but <div id="wall"> was hit
// console: never saw nothing
// console: forced wall pointerdown mousedown pointerup mouseup click
// console: by hand wall pointerdown mousedown pointerup mouseup click
import { browser } from 'k6/browser';

export const options = { scenarios: { ui: { executor: 'shared-iterations', options: { browser: { type: 'chromium' } } } } };

// Writes down which events reach which element. `stage` puts `#wall` over everything when `begin` comes, so many times, and takes it
// away after `end`: the listeners on the window are called before those of a watch.
const STAGE = `
  window.seen = [];
  const wall = Object.assign(document.createElement('div'), { id: 'wall', style: 'position: fixed; inset: 0; z-index: 9; background: gray' });
  for (const type of ['pointerdown', 'mousedown', 'pointerup', 'mouseup', 'click', 'dblclick', 'touchstart', 'touchend']) {
    document.addEventListener(type, (event) => { seen.push([event.target.id, type]); });
  }
  const stage = (times, begin, end) => {
    window.addEventListener(begin, () => { if (times-- > 0) document.body.append(wall); }, true);
    window.addEventListener(end, () => wall.remove(), true);
  };
  const onMove = (times) => stage(times, 'pointermove', 'pointerup');
  const onKey = (times) => stage(times, 'keydown', 'keyup');
  const told = () => seen.map(([id, type], at) => (at > 0 && seen[at - 1][0] === id ? type : id + ' ' + type)).join(' ') || 'nothing';`;
const BUTTON = '<button id="button">b</button>';

export default async function () {
  const page = await browser.newPage({ hasTouch: true });
  const open = async (body, script) => {
    await page.goto('about:blank');
    await page.setContent(`<script>${STAGE}</script>${body}<script>${script}</script>`);
  };
  const told = () => page.evaluate('told()');
  // The modifier is pressed after the look and before the mouse moves.
  const modifiers = ['Shift'];

  await open(BUTTON, 'onMove(1)');
  await page.click('button'); console.log('click', await told());
  await open(BUTTON, 'onKey(1)');
  await page.click('button', { modifiers }); console.log('with a key', await told());
  await open(BUTTON, 'onMove(3)');
  await page.dblclick('button'); console.log('dblclick', await told());
  await open(BUTTON, 'onKey(1)');
  await page.locator('button').tap({ modifiers }); console.log('tap', (await told()).replace(/ mousedown.*/, ''));
  await open('<input type="checkbox" id="box">', 'onMove(1)');
  await page.check('#box'); console.log('check', await page.isChecked('#box'), await told());
  await open('<label id="label">l <input type="checkbox" id="box"></label>', "onMove(1); document.addEventListener('click', (event) => { if (event.target.id === 'box') seen.pop(); })");
  await page.locator('label').click({ position: { x: 2, y: 5 } }); console.log('label', await page.isChecked('#box'), await told());

  await open('<p>above</p><iframe style="margin: 30px; border: 7px solid"></iframe>',
    `document.querySelector('iframe').srcdoc = ${JSON.stringify(`<script>${STAGE}</script>${BUTTON}<script>onMove(1)</script>`).replaceAll('</', '<\\/')}`);
  const inner = page.frameLocator('iframe').locator('button');
  await inner.click(); console.log('frame', await inner.evaluate('told()'));
  await open('<div id="host"></div>', `document.getElementById('host').attachShadow({ mode: 'open' }).innerHTML = '<button>in <i>it</i></button>'; onMove(1)`);
  await page.locator('button').click(); console.log('shadow', await told());

  await open('<button id="old">b</button>', `window.clicks = 0;
    document.getElementById('old').addEventListener('mousedown', () => { clicks++; document.body.innerHTML = '<button id="new">n</button>'; })`);
  await page.locator('button').click(); console.log('replaced by its handler', await page.evaluate("document.querySelector('button').id + ' ' + clicks"));
  await open(BUTTON, `document.querySelector('button').onmouseover = () => { document.body.insertAdjacentHTML('beforeend', '<div id="menu" style="position: fixed; inset: 0">menu</div>'); }`);
  await page.hover('button'); console.log('hover opens', await page.isVisible('#menu'));
  await open(BUTTON, "onKey(1); document.querySelector('button').onmouseover = () => { window.over = true; }");
  await page.hover('button', { modifiers }); console.log('hover again', await page.evaluate('over'));
  await open(`<a id="a" href="${__ENV.PAGES}/home">home</a>`, 'onMove(1)');
  await page.click('a'); console.log('link', await page.title());

  await open(BUTTON, 'onKey(1000)');
  try {
    await page.click('#button', { modifiers, timeout: 600 });
  } catch (error) {
    console.log('never', error.message);
  }
  console.log('never saw', await told());
  await page.click('#button', { modifiers, force: true }); console.log('forced', await told());
  // Whoever points by hand gets what is there, also where a watch has been.
  await open(BUTTON, 'onKey(1000)');
  await page.click('#button'); await page.evaluate('seen.length = 0; document.body.append(wall)');
  await page.mouse.click(20, 20); console.log('by hand', await told());
  await page.close();
}
