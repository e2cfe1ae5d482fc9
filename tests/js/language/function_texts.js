// The text of a function is what was written, in every VU (ECMA-262, Function.prototype.toString).
// args: --vus 3 --iterations 3
import { check } from 'k6';
import { common } from './data/common.cjs';
import { OneLine, oneLine, oneLine2 } from './data/one_line.js';

const { 'ünïcödé 😀': wide } = { 'ünïcödé 😀': function afterWide() {} };
function plain(a, b) { /* c */ return a + b; }
async function later() {}
function* steps() {}
const arrow = (x) => (x), short = x => x, waiting = async x => x;
const withDefault = (p = function inner() {}) => p;
const lines = (a,
  b) =>
  a + b;
class Empty {}
class Full extends Empty {
  field = () => 2;
  m() {}
  static /* s */ async *['x' + 1]() {}
  static static() {}
  static
    async * [ 'spaced' ] () {}
  get g() { return 1; }
  constructor() { super(); }
}
class Made { a = 1; b() {} }
const object = { m() {}, get g() { return 1; }, async *ag() {}, 'quoted name'() {}, f: function () {} };
const dense=[(x)=>x+100000000000000001,(y)=>y+20000000000000000002],tight={g:()=>'a text of some length',h:class{m(){}static s(){return 1}}};
const getter = (of, name) => Object.getOwnPropertyDescriptor(of, name).get;

const TEXTS = [
  [wide, 'function afterWide() {}'],
  [plain, 'function plain(a, b) { /* c */ return a + b; }'],
  [later, 'async function later() {}'],
  [steps, 'function* steps() {}'],
  [arrow, '(x) => (x)'],
  [short, 'x => x'],
  [waiting, 'async x => x'],
  [withDefault, '(p = function inner() {}) => p'],
  [withDefault(), 'function inner() {}'],
  [lines, '(a,\n  b) =>\n  a + b'],
  [new Full().field, '() => 2'],
  [Full.prototype.m, 'm() {}'],
  [Full.x1, "async *['x' + 1]() {}"],
  [Full.static, 'static() {}'],
  [Full.spaced, "async * [ 'spaced' ] () {}"],
  [getter(Full.prototype, 'g'), 'get g() { return 1; }'],
  [object.m, 'm() {}'],
  [dense[0], '(x)=>x+100000000000000001'],
  [dense[1], '(y)=>y+20000000000000000002'],
  [tight.g, "()=>'a text of some length'"],
  [oneLine, '()=>{return\'a module of one line\'}'],
  [oneLine2, 'function(){return()=>"another of them"}'],
  [common, '(a)=>a+"a CommonJS module"'],
  [getter(object, 'g'), 'get g() { return 1; }'],
  [object.ag, 'async *ag() {}'],
  [object['quoted name'], "'quoted name'() {}"],
  [object.f, 'function () {}'],
];

// An engine may have no text of classes and of what is made of texts (Boa).
const hasClasses = !String(Empty).includes('[native code]');
const ofText = [new Function('a', 'return a'), 'function anonymous(a\n) {\nreturn a\n}'];
if (hasClasses) TEXTS.push([Empty, 'class Empty {}'], [Made, 'class Made { a = 1; b() {} }'], ofText);
if (hasClasses) TEXTS.push([tight.h, 'class{m(){}static s(){return 1}}'], [OneLine, 'class{x=1;some(){return this.x}}']);

export default function () {
  for (const [f, text] of TEXTS) {
    if (String(f) !== text) throw new Error(`${JSON.stringify(String(f))} is not ${JSON.stringify(text)}`);
    if (Function.prototype.toString.call(f) !== `${f}`) throw new Error(`two texts of ${text}`);
  }
  const full = hasClasses ? String(Full) : 'class Full extends Empty {\nsuper(); }\n}';
  check(full, {
    'a class is shown whole': (text) => text.startsWith('class Full extends Empty {\n') && text.endsWith('super(); }\n}'),
    'native functions say so': () => /^function push\(\) \{\s*\[native code\]\s*\}$/.test(String([].push)),
    'bound ones too': () => String(plain.bind(null)).includes('[native code]'),
    'toString itself too': () => /^function toString\(\) \{\s*\[native code\]\s*\}$/.test(String(Function.prototype.toString)),
  });
  try {
    Function.prototype.toString.call({});
    throw new Error('what is no function has no text');
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
  }
}

export const options = { thresholds: { checks: ['rate==1'], iterations: ['count==3'] } };
