// Every engine of selectors, alone and in chains, also in shadow roots.
// console: css 2 xpath 2 union 3 id 1 testid 1 text 1 quoted 1 regexp 2 bare 1 visible 2 nth 1 last 1
// console: has-text 2 :text 2 :text-is 1 :text-matches 2 :visible 2 :not(:visible) 1 :has(:visible) 1 > 1 + 1 ~ 2 list 3
// console: capture DIV text >> css 1 xpath parent DIV role 1 role name 1
// console: shadow order in,out text 2 role 2 nested 1 xpath 2 within 1
// console: filter 1 2 1 chained 1 locator 1 hasNotText 2
// console: label 2 1 1 placeholder 1 alt 1 title 1 testid 1 0
// console: quotes 1 1 1 apostrophe 1 regexp quote 1
// console: error counting elements of "p[": SyntaxError: ...
// console: error counting elements of "nosuch=x": unknown engine "nosuch" in selector "nosuch=x"
// console: error parsing selector "": provided selector is empty
// console: error clicking on "": provided selector is empty
// console: null 0 A false
import { browser } from 'k6/browser';

export const options = { scenarios: { ui: { executor: 'shared-iterations', options: { browser: { type: 'chromium' } } } } };

const PAGE = `<div id="d" data-testid="box"><p>Alpha one</p><p class="c">Beta  two</p><p style="display:none">Alpha hidden</p></div>
<p class="tail">It's "quoted"</p><h2 id="host"></h2><p class="tail2">out</p>
<label for="x">Name it</label><input id="x" placeholder="Type here" title="A tip"><label>Name two<input id="y"></label><input aria-label="Third"><img alt="A pic" src="data:,">`;

export default async function () {
  const page = await browser.newPage();
  await page.setContent(PAGE);
  await page.evaluate(() => {
    const root = document.getElementById('host').attachShadow({ mode: 'open' });
    root.innerHTML = '<p>in</p><button>shadow</button><span></span>';
    root.querySelector('span').attachShadow({ mode: 'open' }).innerHTML = '<button>deep</button>';
  });
  const n = (selector) => page.locator(selector).count();
  console.log('css', await n('#d > p:not(.c)'), 'xpath', await n('xpath=//div/p[not(@class)]'), 'union', await n('#d, .tail, .c'), 'id', await n('id=d'), 'testid', await n('data-testid=box'),
    'text', await n('text=beta two'), 'quoted', await n('text="Beta two"'), 'regexp', await n('text=/^alpha/i'), 'bare', await n('"Beta two"'), 'visible', await n('#d p >> visible=true'),
    'nth', await n('p >> nth=1'), 'last', await n('p >> nth=-1'));
  console.log('has-text', await n('p:has-text("alpha")'), ':text', await n(':text("alpha")'), ':text-is', await n(':text-is("Alpha one")'), ':text-matches', await n('p:text-matches("^a", "i")'),
    ':visible', await n('#d p:visible'), ':not(:visible)', await n('#d p:not(:visible)'), ':has(:visible)', await n('div:has(p:visible)'), '>', await n('div > p.c:has-text("two")'),
    '+', await n('p:has-text("one") + p'), '~', await n('p:has-text("one") ~ p'), 'list', await n('p:has-text("one"), p.tail, p.c:visible'));
  console.log('capture', await page.locator('*css=div >> p.c').evaluate((e) => e.tagName), 'text >> css', await n('#d >> text=Beta'), 'xpath parent', await page.locator('p.c >> ..').evaluate((e) => e.tagName),
    'role', await n('role=textbox >> nth=0'), 'role name', await n('role=textbox[name="Third"]'));
  console.log('shadow order', (await Promise.all((await page.locator('h2 >> p, p.tail2').all()).map((l) => l.textContent()))).concat(await page.locator('.tail2').textContent()).join(), 'text', await n('text=shadow') + await n('text=deep'),
    'role', await page.getByRole('button').count(), 'nested', await n('span button') + await n('span >> button'), 'xpath', await n('//button'), 'within', await n('#host >> p'));
  const p = page.locator('p');
  console.log('filter', await p.filter({ hasText: 'two' }).count(), await p.filter({ hasText: /alpha/i }).count(), await p.filter({ hasText: 'two', hasNotText: 'zzz' }).count(),
    'chained', await page.locator('div').locator('p').filter({ hasText: 'Beta two' }).count(), 'locator', await page.locator('div', { hasText: 'one' }).count(), 'hasNotText', await page.locator('#d').locator('p', { hasNotText: 'Beta' }).count());
  console.log('label', await page.getByLabel('name').count(), await page.getByLabel('Name it', { exact: true }).count(), await page.getByLabel(/^third$/i).count(), 'placeholder', await page.getByPlaceholder('type').count(),
    'alt', await page.getByAltText('a pic').count(), 'title', await page.getByTitle('A tip', { exact: true }).count(), 'testid', await page.getByTestId('box').count(), await page.getByTestId('bo').count());
  console.log('quotes', await page.getByText('It\'s "quoted"').count(), await page.getByText('"quoted"').count(), await p.filter({ hasText: '"quoted"' }).count(), 'apostrophe', await n("text=It's"),
    'regexp quote', await page.getByText(/It's "q/).count());
  for (const f of [() => n('p['), () => n('nosuch=x'), () => page.$(''), () => page.click('')]) {
    try {
      await f();
    } catch (error) {
      console.log('error', String(error));
    }
  }
  console.log(await page.$('.nothing'), (await page.$$('.nothing')).length, (await (await page.$('div')).$$('p'))[0] ? 'A' : 'B', await page.isVisible('.nothing'));
  await page.close();
}
