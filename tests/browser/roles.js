// Roles that elements have by themselves, and accessible names.
// console: banner=1 navigation=1 main=1 contentinfo=1 complementary=1 article=1 region=1 form=1 search=1
// console: list=2 listitem=3 separator=1 figure=1 group=3 status=1 progressbar=1 meter=1 slider=1 spinbutton=1
// console: combobox=2 listbox=1 option=5 switch=1 radio=1 textbox=4 searchbox=1 dialog=1 alert=1 none=3 presentation=2
// console: table=1 columnheader=2 rowheader=1 cell=1 row=2 rowgroup=2 caption=1 grid=1 gridcell=1
// console: names label=1 wrapped=1 labelledby=1 two=1 title=1 placeholder=1 alt=1 legend=1 caption=1 figcaption=1 svg=1 before=1 value=1 hidden=0 shown=1
// console: states checked=1 mixed=1 disabled=2 enabled=1 expanded=1 closed=1 level=1 aria-level=1 pressed=1 not-pressed=5 selected=1
// console: exact 0 1 regexp 1 case 1 hidden 0 1 unknown 0
// console: GoError: missing required argument 'role'
import { browser } from 'k6/browser';

export const options = { scenarios: { ui: { executor: 'shared-iterations', options: { browser: { type: 'chromium' } } } } };

const PAGE = `<style>#b::before { content: "Big " }</style>
<header>h</header><nav>n</nav><main><article><header>not a banner</header><footer>no info</footer></article><section aria-label="Named">s</section><section>unnamed</section></main>
<aside>a</aside><form aria-label="f"></form><form></form><search>s</search><footer>f</footer>
<ul><li>1</li><li>2</li></ul><ol><li>3</li></ol><ul role="presentation"><li>no item</li></ul><div role="none">x</div><hr>
<figure><img alt=""><figcaption>Fig one</figcaption></figure><fieldset><legend>Size</legend></fieldset><details><summary>More</summary>d</details><output>o</output>
<progress></progress><meter></meter><input type="range"><input type="number">
<select><option>a<option>b</select><input list="dl"><datalist id="dl"></datalist><select multiple aria-label="Many"><option>c<option selected>d<option disabled>e</select>
<input type="checkbox" role="switch"><input type="radio"><input type="search"><dialog open>d</dialog><div role="alert">!</div>
<table><caption>Cap</caption><thead><tr><th>A</th><th>B</th></tr></thead><tbody><tr><th scope="row">r</th><td>1</td></tr></tbody></table><table role="grid"><tbody role="none"><tr role="none"><td>g</td></tr></tbody></table>
<label for="i1">First name</label><input id="i1"><label>Wrapped <input id="i2"></label><span id="l1">Part one</span><span id="l2">part two</span><textarea aria-labelledby="l1 l2"></textarea>
<a href="#" title="Titled"></a><input placeholder="Hold me" id="i4"><img alt="Alt text" src="data:,"><a href="#"><svg><title>Drawn</title></svg></a><button id="b">button</button>
<button>Save <span hidden>secretly</span><span style="display:none">x</span></button><label>Times <input type="checkbox" id="c1"></label>
<input type="checkbox" id="mix" aria-label="mixed one"><input type="checkbox" checked aria-label="on"><fieldset disabled><button>Off</button></fieldset><div aria-disabled="true"><button>Also off</button></div>
<button aria-expanded="true">E</button><button aria-expanded="false">F</button><h4>four</h4><div role="heading" aria-level="7">seven</div><button aria-pressed="true">P</button>
<div role="tab" aria-selected="true">T</div><div aria-hidden="true"><button>Unheard</button></div>`;

export default async function () {
  const page = await browser.newPage();
  await page.setContent(PAGE);
  await page.evaluate(() => { document.getElementById('mix').indeterminate = true; });
  const counts = async (roles) => {
    const list = [];
    for (const role of roles.split(' ')) list.push(`${role}=${await page.getByRole(role).count()}`);
    return list.join(' ');
  };
  console.log(await counts('banner navigation main contentinfo complementary article region form search'));
  console.log(await counts('list listitem separator figure group status progressbar meter slider spinbutton'));
  console.log(await counts('combobox listbox option switch radio textbox searchbox dialog alert none presentation'));
  console.log(await counts('table columnheader rowheader cell row rowgroup caption grid gridcell'));
  const named = async (role, name, options) => page.getByRole(role, { name, exact: true, ...options }).count();
  console.log('names', `label=${await named('textbox', 'First name')}`, `wrapped=${await named('textbox', 'Wrapped')}`, `labelledby=${await named('textbox', 'Part one part two')}`,
    `two=${await named('cell', '1')}`, `title=${await named('link', 'Titled')}`, `placeholder=${await named('textbox', 'Hold me')}`, `alt=${await named('img', 'Alt text')}`,
    `legend=${await named('group', 'Size')}`, `caption=${await named('table', 'Cap')}`, `figcaption=${await named('figure', 'Fig one')}`, `svg=${await named('link', 'Drawn')}`,
    `before=${await named('button', 'Big button')}`, `value=${await named('checkbox', 'Times')}`, `hidden=${await named('button', /secretly/)}`, `shown=${await named('button', 'Save')}`);
  const state = async (role, options) => page.getByRole(role, options).count();
  console.log('states', `checked=${await state('checkbox', { checked: true })}`, `mixed=${await page.locator('role=checkbox[checked=mixed]').count()}`, `disabled=${await state('button', { disabled: true })}`,
    `enabled=${await state('button', { disabled: false, name: 'Save' })}`, `expanded=${await state('button', { expanded: true })}`, `closed=${await state('button', { expanded: false })}`,
    `level=${await state('heading', { level: 4 })}`, `aria-level=${await state('heading', { level: 7 })}`, `pressed=${await state('button', { pressed: true })}`,
    `not-pressed=${(await state('button', { pressed: false })) - 1}`, `selected=${await state('tab', { selected: true })}`);
  console.log('exact', await named('button', 'big'), await named('button', 'Big button'), 'regexp', await state('button', { name: /^big/i }), 'case', await state('button', { name: 'BIG' }),
    'hidden', await state('button', { name: 'Unheard' }), await state('button', { name: 'Unheard', includeHidden: true }), 'unknown', await state('nosuch'));
  try {
    page.getByRole();
  } catch (error) {
    console.log(String(error));
  }
  await page.close();
}
