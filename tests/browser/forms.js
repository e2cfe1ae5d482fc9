// What can be filled, chosen, selected and uploaded, and which events that makes.
// console: text|email|password|search|tel|url|3.5
// console: 2024-02-29 12:30 2024-02-29T12:30 2024-02 2024-W09 #aabbcc 40
// console: error filling "#date" with "31.12.": malformed value
// console: error filling "#range" with "400": malformed value
// console: error filling "h1" with "x": element is not an <input>, <textarea> or [contenteditable] element
// console: error filling "#cb" with "x": input of this type cannot be filled
// console: two lines "one\ntwo" rich "edited" label "via label" numbers "12" cleared ""
// console: events beforeinput:insertText input change
// console: react fills once
// console: max abc
// console: ["b"] ["a","c"] [] ["x"] ["late"]
// console: error selecting option on "h1": element is not a <select> element
// console: chosen by handle ["b"] input change
// console: selected hello world
// console: a.txt:text/plain:5:hello b.bin::3:abc
// console: c.txt:application/json:2:{}
// console: none
// console: error setting input files on "h1": node is not an input[type=file] element
// console: error setting input files on "#one": non-multiple file input can only accept single file
// console: values a 7 yes b true false true false
// console: error getting input value of "h1": Error: Node is not an <input>, <textarea> or <select> element
// console: error checking is "#text" checked: not a checkbox or radio button
import { browser } from 'k6/browser';

export const options = { scenarios: { ui: { executor: 'shared-iterations', options: { browser: { type: 'chromium' } } } } };

const PAGE = `<h1>head</h1><input id="text"><input id="email" type="email"><input id="password" type="password"><input id="search" type="search"><input id="tel" type="tel"><input id="url" type="url">
<input id="number" type="number" step="any"><input id="date" type="date"><input id="time" type="time"><input id="dtl" type="datetime-local"><input id="month" type="month"><input id="week" type="week"><input id="color" type="color"><input id="range" type="range">
<input id="cb" type="checkbox" value="yes" checked><textarea id="area">x</textarea><div id="rich" contenteditable>rich <b>text</b></div><label id="lab">Label <input id="labelled"></label><input id="max" maxlength="3"><input id="ro" readonly value="7">
<select id="one-of"><option>a<option value="b">Bee</select><select id="many" multiple><option>a<option>b<option>c</select><select id="growing"></select><p id="words">hello <i>world</i></p>
<input id="files" type="file" multiple><input id="one" type="file"><pre id="out"></pre>`;

export default async function () {
  const page = await browser.newPage();
  await page.setContent(PAGE);
  const fails = async (f) => {
    try {
      console.log(await f());
    } catch (error) {
      console.log('error', String(error));
    }
  };
  const v = (selector) => page.inputValue(selector);
  const texts = [];
  for (const id of ['text', 'email', 'password', 'search', 'tel', 'url']) { await page.fill(`#${id}`, id); texts.push(await v(`#${id}`)); }
  await page.fill('#number', '3.5'); texts.push(await v('#number'));
  console.log(texts.join('|'));
  const dates = [];
  for (const [id, value] of [['date', '2024-02-29'], ['time', '12:30'], ['dtl', '2024-02-29T12:30'], ['month', '2024-02'], ['week', '2024-W09'], ['color', '#AABBCC'], ['range', '40']]) { await page.fill(`#${id}`, value); dates.push(await v(`#${id}`)); }
  console.log(dates.join(' '));
  await fails(() => page.fill('#date', '31.12.'));
  await fails(() => page.fill('#range', '400'));
  await fails(() => page.fill('h1', 'x'));
  await fails(() => page.fill('#cb', 'x'));
  await page.fill('#area', 'one\ntwo'); await page.fill('#rich', 'edited'); await page.fill('#lab', 'via label'); await page.fill('#text', 12); await page.locator('#url').clear();
  console.log('two lines', JSON.stringify(await v('#area')), 'rich', JSON.stringify(await page.textContent('#rich')), 'label', JSON.stringify(await v('#labelled')), 'numbers', JSON.stringify(await v('#text')), 'cleared', JSON.stringify(await v('#url')));
  await page.evaluate(() => {
    window.log = [];
    for (const type of ['beforeinput', 'input', 'change', 'keydown']) document.getElementById('email').addEventListener(type, (e) => window.log.push(type === 'beforeinput' ? `${type}:${e.inputType}` : type));
    const field = document.getElementById('tel');
    window.sets = 0;
    const setter = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value');
    Object.defineProperty(field, 'value', { get() { return setter.get.call(this); }, set(value) { window.sets++; setter.set.call(this, value); } });
    field.addEventListener('input', () => { window.fills = `fills ${window.sets === 0 ? 'once' : 'through the page'}`; });
  });
  await page.fill('#email', 'a@b'); await page.focus('#text');
  console.log('events', await page.evaluate(() => window.log.join(' ')));
  await page.fill('#tel', '123'); console.log('react', await page.evaluate(() => window.fills));
  await page.fill('#max', 'abcdef'); console.log('max', await v('#max'));
  const chosen = [await page.selectOption('#one-of', 'Bee'), await page.selectOption('#many', ['c', 'a']), await page.selectOption('#many', [])];
  await page.evaluate(() => setTimeout(() => { document.getElementById('growing').innerHTML = '<option>x<option value="late">Late one'; }, 150));
  chosen.push(await page.selectOption('#growing', { index: 0 }), await page.locator('#growing').selectOption({ label: 'Late one' }));
  console.log(chosen.map((list) => JSON.stringify(list)).join(' '));
  await fails(() => page.selectOption('h1', 'x', { timeout: 300 }));
  await page.evaluate(() => { window.log = []; for (const type of ['input', 'change']) document.getElementById('many').addEventListener(type, () => window.log.push(type)); });
  console.log('chosen by handle', JSON.stringify(await page.selectOption('#many', (await page.$$('#many option'))[1])), await page.evaluate(() => window.log.join(' ')));
  await (await page.$('#words')).selectText(); console.log('selected', await page.evaluate(() => String(getSelection())));
  await page.evaluate(() => {
    for (const id of ['files', 'one']) document.getElementById(id).addEventListener('change', async (e) => {
      const list = [];
      for (const file of e.target.files) list.push(`${file.name}:${file.type}:${file.size}:${await file.text()}`);
      document.getElementById('out').textContent = list.join(' ') || 'none';
    });
  });
  await page.setInputFiles('#files', [{ name: 'a.txt', mimeType: 'text/plain', buffer: 'aGVsbG8=' }, { name: 'b.bin', buffer: new Uint8Array([97, 98, 99]).buffer }]);
  await page.waitForFunction(() => document.getElementById('out').textContent !== '');
  console.log(await page.textContent('#out'));
  await (await page.$('#one')).setInputFiles({ name: 'c.txt', mimetype: 'application/json', buffer: 'e30=' });
  await page.waitForFunction(() => document.getElementById('out').textContent.startsWith('c'));
  console.log(await page.textContent('#out'));
  await page.setInputFiles('#one', []); await page.waitForFunction(() => document.getElementById('out').textContent === 'none'); console.log(await page.textContent('#out'));
  await fails(() => page.setInputFiles('h1', []));
  await fails(() => page.setInputFiles('#one', [{ name: 'a', buffer: '' }, { name: 'b', buffer: '' }]));
  console.log('values', (await page.selectOption('#one-of', 'a'))[0], await v('#ro'), await v('#cb'), (await page.selectOption('#many', 'b'))[0], await page.isChecked('#cb'), await page.isEditable('#ro'), await page.isEnabled('#ro'), await page.isDisabled('#ro'));
  await fails(() => v('h1'));
  await fails(() => page.isChecked('#text'));
  await page.close();
}
