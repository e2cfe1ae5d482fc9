// Handles of elements: what they are asked and told, also after their page has gone on.
// console: LI one null 2 3
// console: text one inner one html <b>one</b> attribute x none null value v
// console: true false true false true false
// console: parent UL property 1 as an argument 4 same true
// console: typed keyed focused
// console: done checked true chosen b dispatched yes
// console: element null json {"a":[1,null,"x"]}
// console: wait shown null hidden editable
// console: error waiting for selector "#never": timed out after 200ms
// console: error waiting for element state "fast": "fast" is no state of an element: visible, hidden, enabled, disabled, editable or stable
// console: detached text kept false
// console: gone true true
import { browser } from 'k6/browser';

export const options = { scenarios: { ui: { executor: 'shared-iterations', options: { browser: { type: 'chromium' } } } } };

const PAGE = `<ul class="x"><li id="one"><b>one</b></li><li style="display:none">two</li><li>three</li></ul><input id="i" value="v"><input id="c" type="checkbox"><select id="s"><option>a<option>b</select><p id="later" hidden>shown</p><button id="off" disabled>o</button>`;

export default async function () {
  const page = await browser.newPage();
  await page.setContent(PAGE);
  const fails = async (f) => {
    try {
      return await f();
    } catch (error) {
      return `error ${String(error)}`;
    }
  };
  const ul = await page.$('ul');
  const one = await ul.$('li');
  console.log(await one.evaluate((e) => e.tagName), await one.textContent(), await ul.$('p'), (await ul.$$('li')).length - 1, (await page.$$('ul > *')).length);
  const input = await page.$('#i');
  console.log('text', await one.textContent(), 'inner', await one.innerText(), 'html', await one.innerHTML(), 'attribute', await ul.getAttribute('class'), 'none', await ul.getAttribute('id'), 'value', await input.inputValue());
  const two = (await page.$$('li'))[1];
  console.log(await one.isVisible(), await two.isVisible(), await two.isHidden(), await (await page.$('#off')).isEnabled(), await input.isEditable(), await (await page.$('#c')).isChecked());
  const parent = await one.evaluateHandle((e) => e.parentNode);
  console.log('parent', await parent.evaluate((e) => e.tagName), 'property', Object.keys(await (await page.evaluateHandle(() => ({ a: 1 }))).getProperties()).length, 'as an argument', await page.evaluate((e, n) => e.children.length + n, ul, 1), 'same', await page.evaluate((a, b) => a === b, ul, parent));
  await input.fill(''); await input.type('keye'); await input.press('d'); await input.focus();
  console.log('typed', await input.inputValue(), await page.evaluate(() => (document.activeElement.id === 'i' ? 'focused' : 'not focused')));
  await page.evaluate(() => document.getElementById('one').addEventListener('custom', () => { window.custom = 'yes'; }));
  const box = await page.$('#c');
  await box.setChecked(true); await box.uncheck(); await box.check(); await one.hover(); await one.click(); await one.dblclick(); await one.scrollIntoViewIfNeeded(); await one.dispatchEvent('custom');
  console.log('done', 'checked', await box.isChecked(), 'chosen', (await (await page.$('#s')).selectOption('b')).join(), 'dispatched', await page.evaluate(() => window.custom));
  const plain = await page.evaluateHandle(() => ({ a: [1, null, 'x'] }));
  console.log('element', plain.asElement(), 'json', JSON.stringify(await plain.jsonValue()));
  await page.evaluate(() => setTimeout(() => { document.getElementById('later').hidden = false; document.getElementById('off').disabled = false; }, 100));
  const body = await page.$('body');
  const shown = await body.waitForSelector('#later');
  const states = [await body.waitForSelector('#nothing', { state: 'detached' })];
  await two.waitForElementState('hidden'); states.push('hidden');
  await (await page.$('#off')).waitForElementState('editable'); states.push('editable');
  console.log('wait', await shown.textContent(), states.map(String).join(' '));
  console.log(await fails(() => body.waitForSelector('#never', { timeout: 200 })));
  console.log(await fails(() => body.waitForElementState('fast')));
  await one.evaluate((e) => e.remove());
  console.log('detached', 'text', (await one.textContent()) === 'one' ? 'kept' : 'lost', await one.isVisible());
  await page.goto('about:blank');
  console.log('gone', (await fails(() => ul.textContent())).startsWith('error'), (await fails(() => ul.click({ timeout: 300 }))).startsWith('error clicking on element: '));
  await page.close();
}
