// What a user does: with modifiers, at a position, by touch; what is force and what is trial; wrong options.
// console: plain 1 left 50,20
// console: shift 1 left+shift 50,20
// console: both 1 left+ctrl+shift 50,20
// console: position 1 left 5,6
// console: right 1 right 50,20
// console: dblclick 2 left 50,20
// console: text position 1 left 3,4
// console: hover over
// console: trial nothing
// console: force over cover
// console: inline 1
// console: label true radio true checked again true
// console: tapped touchstart touchend click
// console: scrolled true under the header true
// console: moving true
// console: inside a button 1
// console: error clicking on "#b": "fourth" is no button of a mouse: left, right or middle
// console: error clicking on "#b": "Hyper" is no modifier key: Alt, Control, Meta or Shift
// console: typed aB€c 3
// console: keys a:keydown b:keydown b:keyup a:keyup ctrl
// console: mouse 10,10 drag 1
import { browser } from 'k6/browser';

export const options = { scenarios: { ui: { executor: 'shared-iterations', options: { browser: { type: 'chromium' } } } } };

const PAGE = `<style>body{margin:0} button{width:100px;height:40px;border:0;padding:0}</style><button id="b">b</button><div id="d" style="width:100px;height:40px;border:2px solid">d</div>
<button id="c" style="position:relative">c<span style="position:absolute;inset:0"></span></button>
<p style="width:60px">some words <a id="inline" href="#">that are broken in lines</a></p><label id="l">agree <input id="cb" type="checkbox"></label><label><input id="r" type="radio"> radio</label>
<input id="t"><button id="move" style="position:absolute;left:300px;top:200px;animation:m .3s linear">m</button><style>@keyframes m{from{left:600px}}</style>
<div style="height:3000px"></div><button id="low">low</button><div style="height:900px"></div><header style="position:fixed;top:0;left:200px;right:0;height:80px;background:#ccc">head</header>`;

export default async function () {
  const page = await browser.newPage();
  await page.setContent(PAGE);
  await page.evaluate(() => {
    window.log = [];
    const say = (e) => {
      const keys = ['ctrl', 'shift', 'alt', 'meta'].filter((m) => e[`${m}Key`]).map((m) => `+${m}`).join('');
      window.log.push(`${e.detail} ${['left', 'middle', 'right'][e.button]}${keys} ${Math.round(e.offsetX)},${Math.round(e.offsetY)}`);
    };
    for (const id of ['b', 'd', 'c']) for (const type of ['click', 'contextmenu']) document.getElementById(id).addEventListener(type, (e) => (type === 'contextmenu' ? e.preventDefault() : say(e)));
    document.getElementById('b').addEventListener('auxclick', say);
    document.getElementById('b').addEventListener('mouseover', () => { window.over = 'over'; });
  });
  const last = async (name) => console.log(name, await page.evaluate(() => window.log.pop() || 'nothing'));
  const b = page.locator('#b');
  await b.click(); await last('plain');
  await b.click({ modifiers: ['Shift'] }); await last('shift');
  await b.click({ modifiers: ['ControlOrMeta', 'Shift'] }); await last('both');
  await b.click({ position: { x: 5, y: 6 } }); await last('position');
  await b.click({ button: 'right' }); await last('right');
  await b.dblclick(); await last('dblclick');
  await page.locator('#d').click({ position: { x: 3, y: 4 } }); await last('text position');
  await page.mouse.move(400, 400); await page.evaluate(() => { window.over = 'no'; window.log = []; });
  await page.hover('#b'); console.log('hover', await page.evaluate(() => window.over));
  await b.click({ trial: true }); await last('trial');
  await page.evaluate(() => {
    const cover = document.createElement('div');
    cover.id = 'cover'; cover.style = 'position:fixed;inset:0;width:100px;height:40px'; cover.onclick = () => window.log.push('over cover');
    document.body.append(cover);
  });
  await b.click({ force: true }); await last('force');
  await page.evaluate(() => { document.getElementById('cover').remove(); document.getElementById('inline').onclick = () => { window.hits = (window.hits || 0) + 1; return false; }; });
  await page.locator('#inline').click(); console.log('inline', await page.evaluate(() => window.hits));
  await page.locator('#l').check(); await page.locator('#r').check();
  const checked = [await page.isChecked('#cb'), await page.isChecked('#r')];
  await page.getByLabel('agree').check(); console.log('label', checked[0], 'radio', checked[1], 'checked again', await page.isChecked('#cb'));
  await page.evaluate(() => {
    window.touched = [];
    for (const type of ['touchstart', 'touchend', 'click']) document.getElementById('b').addEventListener(type, () => window.touched.push(type));
  });
  await b.tap(); await page.waitForTimeout(100); console.log('tapped', await page.evaluate(() => window.touched.join(' ')));
  await page.evaluate(() => { document.getElementById('low').onclick = () => { window.low = true; }; document.getElementById('low').style.marginLeft = '300px'; scrollTo(0, 3200); });
  await page.locator('#low').click(); const scrolled = await page.evaluate(() => window.low);
  await page.evaluate(() => { window.low = false; scrollTo(0, document.getElementById('low').offsetTop - 10); });
  await page.locator('#low').click(); console.log('scrolled', scrolled, 'under the header', await page.evaluate(() => window.low));
  await page.evaluate(() => {
    scrollTo(0, 0);
    const move = document.getElementById('move');
    move.onclick = () => { window.moved = true; };
    move.style.animation = 'none'; move.offsetTop; move.style.animation = 'm .3s linear';
  });
  await page.locator('#move').click(); console.log('moving', await page.evaluate(() => window.moved));
  await page.evaluate(() => { window.log = []; });
  await page.locator('#c').click(); console.log('inside a button', (await page.evaluate(() => window.log.length)));
  for (const f of [() => b.click({ button: 'fourth', timeout: 500 }), () => b.click({ modifiers: ['Hyper'], timeout: 500 })]) {
    try {
      await f();
    } catch (error) {
      console.log('error', String(error));
    }
  }
  await page.locator('#t').type('aB€'); await page.locator('#t').press('c');
  await page.locator('#t').press('Shift+ArrowLeft');
  console.log('typed', await page.inputValue('#t'), await page.evaluate(() => document.getElementById('t').selectionStart));
  await page.evaluate(() => {
    window.keys = [];
    for (const type of ['keydown', 'keyup']) document.getElementById('t').addEventListener(type, (e) => window.keys.push(e.key.length === 1 ? `${e.key}:${type}` : ''));
  });
  await page.keyboard.down('a'); await page.keyboard.down('b'); await page.keyboard.up('b'); await page.keyboard.up('a');
  await page.locator('#t').fill('abc'); await page.keyboard.press('ControlOrMeta+a'); await page.keyboard.press('Delete');
  console.log('keys', (await page.evaluate(() => window.keys.filter(Boolean).join(' '))).replace(/a:keydown a:keyup$/, '').trim(), (await page.inputValue('#t')) === '' ? 'ctrl' : 'left');
  await page.evaluate(() => {
    window.drag = 0;
    document.addEventListener('mousemove', (e) => { window.at = `${e.clientX},${e.clientY}`; if (e.buttons === 1) window.drag = 1; });
  });
  await page.mouse.move(400, 300); await page.mouse.down(); await page.mouse.move(10, 10, { steps: 3 }); await page.mouse.up();
  console.log('mouse', await page.evaluate(() => window.at), 'drag', await page.evaluate(() => window.drag));
  await page.close();
}
