// Any method of any selection and element, with any arguments, returns or throws something sensible.
// console: true []
import { parseHTML } from 'k6/html';
const page = `<!DOCTYPE html><html lang="en"><head><base href="/b"><title>t</title><meta name="a"><link rel="a"><style>x</style><script>y</script></head><body class="a b"><!--c--><form id="f" action="/go"><fieldset><legend>l</legend><input id="i" name="n" list="dl" form="f"><datalist id="dl"><option>1</datalist><select multiple><optgroup label="g"><option selected>1</optgroup></select><textarea>t</textarea><button>b</button><label for="i">x</label><keygen><output>o</output><progress value="x" max="-1"></progress><meter></meter><object></object></fieldset></form>
<table><caption>c</caption><colgroup><col></colgroup><thead><tr><th>h</thead><tbody><tr><td>d<td>e</tbody><tfoot><tr><td>f</tfoot></table><ol><li>1</ol><ul><li>2</ul><map name="m"><area href="http://[::1"></map><img usemap="#m"><audio><track><source></audio><video></video><iframe></iframe><canvas></canvas><embed><param><pre>p</pre><q>q</q><blockquote>b</blockquote><del>d</del><ins>i</ins><time>t</time><data value="1">d</data><a href="%zz">a</a><a href="mailto:x">a</a><a>a</a><svg viewBox="0"><circle/><foreignObject><p>x</p></foreignObject></svg><math><mi>x</mi></math><template><b>t</b></template><noscript><p></noscript></body></html>`;
let state = 12345;
const random = (n) => {
  state = (state * 1103515245 + 12345) % 2147483648;
  return Math.floor(state / 65536) % n;
};
export default function () {
  const doc = parseHTML(page);
  const other = parseHTML('<p>x</p>');
  const pool = [doc, other.find('p'), doc.find('*'), doc.find('none')];
  const values = () => [undefined, null, 0, -1, 1, 3, 1e9, -1e9, NaN, Infinity, 1.5, '', 'p', '*', 'tr', 'option', '[', 'href', 'a b', ':nth-child(2)', true, {}, [], () => true, () => { throw new Error('x'); }, Symbol('s'), doc, other, doc.get(0), other.find('p').get(0), new Uint8Array(3), 10n];
  const bad = [];
  let calls = 0;
  const note = (method, error) => {
    const text = `${error.name}: ${error.message}`;
    if (/internal|panic|no method/.test(text)) bad.push(`${method}: ${text}`);
  };
  const methods = (thing) => {
    const names = new Set();
    for (let at = Object.getPrototypeOf(thing); at && at !== Object.prototype; at = Object.getPrototypeOf(at)) {
      for (const name of Object.getOwnPropertyNames(at)) names.add(name);
    }
    return [...names].filter((name) => typeof thing[name] === 'function');
  };
  const elements = [];
  const keep = (v) => {
    if (Array.isArray(v)) {
      v.slice(0, 50).forEach(keep);
      return;
    }
    if (v === null || typeof v !== 'object') return;
    const list = typeof v.find === 'function' ? pool : elements;
    if (list === elements && typeof v.nodeName !== 'function') return;
    if (list.length < 400) list.push(v);
    else list[random(400)] = v;
  };
  const call = (thing, method, list) => {
    calls += 1;
    try { keep(thing[method](...list)); } catch (error) { note(method, error); }
  };
  keep(doc.find('*').get());
  for (const e of elements.slice()) for (const m of methods(e)) call(e, m, []);
  for (let round = 0; round < 1500; round++) {
    const vs = values();
    const s = pool[random(pool.length)];
    const ms = methods(s);
    const m = ms[random(ms.length)];
    call(s, m, [vs[random(vs.length)], vs[random(vs.length)]].slice(0, random(3)));
    const e = elements[random(elements.length)];
    const es = methods(e);
    call(e, es[random(es.length)], [vs[random(vs.length)]].slice(0, random(2)));
  }
  console.log(calls > 4000, JSON.stringify(bad));
}
