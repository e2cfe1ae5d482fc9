// JSON.rawJSON, JSON.isRawJSON, and the text of values that JSON.parse tells a reviver, as ECMA-262 says.
// console: done
const fault = (call) => {
  try {
    return `no error: ${String(call())}`;
  } catch (error) {
    return error.name;
  }
};
function same(actual, expected, what) {
  if (actual !== expected) console.log(`${what}: ${actual} instead of ${expected}`);
}

function raw() {
  for (const [name, length] of [['rawJSON', 1], ['isRawJSON', 1]]) {
    const { value, writable, enumerable, configurable } = Object.getOwnPropertyDescriptor(JSON, name);
    same(`${value.name} ${value.length} ${writable} ${enumerable} ${configurable}`, `${name} ${length} true false true`, name);
    same(fault(() => new value('1')), 'TypeError', `new ${name}`);
  }
  for (const text of ['1', '-1.5e+10', '1e1000', '12345678901234567890', '-0', '0.10', 'true', 'false', 'null', '"a"', '"\\u0041"', '" "', '""', '"é\u{1F600}"']) {
    const made = JSON.rawJSON(text);
    same(made.rawJSON, text, `rawJSON of ${text}`);
    same(JSON.isRawJSON(made), true, `isRawJSON of ${text}`);
    same(JSON.stringify(made), text, `stringify of ${text}`);
    same(JSON.stringify({ a: made, b: [made] }), `{"a":${text},"b":[${text}]}`, `stringify around ${text}`);
  }
  for (const [value, text] of [[1, '1'], [1.5, '1.5'], [true, 'true'], [null, 'null'], [10n, '10'], [{ toString: () => '7' }, '7'], [[3], '3'], [new String('"x"'), '"x"']]) {
    same(JSON.rawJSON(value).rawJSON, text, `rawJSON of ${typeof value}`);
  }
  const long = '9'.repeat(30_000) + String(Math.random()).slice(2);
  same(JSON.stringify([JSON.rawJSON(long)]), `[${long}]`, 'a long text');
  for (const text of ['', ' ', ' 1', '1 ', '\t1', '1\n', '\r1', '1\r', '{}', '[]', '{"a":1}', '[1]', 'undefined', 'NaN', 'tru', '01', '+1', '.5', '1.', "'a'", '"', '"a', '1,2', '1 2', '"\n"', '\ufeff1', '1\u00a0', '/*a*/1', 'Infinity']) {
    same(fault(() => JSON.rawJSON(text)), 'SyntaxError', `rawJSON of ${JSON.stringify(text)}`);
  }
  for (const value of [undefined, {}, [], () => {}, [1, 2]]) same(fault(() => JSON.rawJSON(value)), 'SyntaxError', `rawJSON of ${typeof value}`);
  same(fault(() => JSON.rawJSON()), 'SyntaxError', 'rawJSON of nothing');
  same(fault(() => JSON.rawJSON(Symbol('x'))), 'TypeError', 'rawJSON of a symbol');
  same(fault(() => JSON.rawJSON({ toString() { throw new RangeError('mine'); } })), 'RangeError', 'an error of toString');

  const made = JSON.rawJSON('1');
  same(Object.getPrototypeOf(made), null, 'the prototype');
  same(Object.isFrozen(made) && !Object.isExtensible(made), true, 'frozen');
  same(JSON.stringify(Object.getOwnPropertyDescriptors(made)), '{"rawJSON":{"value":"1","writable":false,"enumerable":true,"configurable":false}}', 'what it has');
  same(fault(() => { made.rawJSON = '2'; }) + fault(() => { made.x = 1; }) + fault(() => delete made.rawJSON), 'TypeErrorTypeErrorTypeError', 'changes');
  same(fault(() => `${made}`), 'TypeError', 'as a text');
  for (const value of [undefined, null, 1, '1', true, {}, [], { rawJSON: '1' }, Object.freeze(Object.assign(Object.create(null), { rawJSON: '1' })), new Proxy(made, {}), Symbol('x'), 1n, () => {}]) {
    same(JSON.isRawJSON(value), false, `isRawJSON of ${typeof value}`);
  }
  same(JSON.isRawJSON(), false, 'isRawJSON of nothing');
  same(JSON.stringify(Object.create(made)), '{}', 'what inherits it');
  same(JSON.stringify(new Proxy(made, {})), '{"rawJSON":"1"}', 'a proxy');
  // Verbatim, whoever brings it, whatever the indent.
  same(JSON.stringify({ id: 5n }, (key, value) => (typeof value === 'bigint' ? JSON.rawJSON(value) : value)), '{"id":5}', 'from a replacer');
  same(JSON.stringify({ id: { toJSON: () => JSON.rawJSON('1e3') } }), '{"id":1e3}', 'from toJSON');
  same(JSON.stringify([JSON.rawJSON('1'), { a: JSON.rawJSON('"x"') }], null, 1), '[\n 1,\n {\n  "a": "x"\n }\n]', 'indented');
  same(JSON.stringify({ a: JSON.rawJSON('1'), b: 2 }, ['a']), '{"a":1}', 'with a list of names');
}

// What a reviver is told, as `name: text`.
function sources(text, change = () => {}) {
  const told = [];
  JSON.parse(text, function (key, value, context) {
    const names = Object.getOwnPropertyNames(context);
    if (Object.getPrototypeOf(context) !== Object.prototype) told.push('another prototype');
    if (names.length > 0 && JSON.stringify(Object.getOwnPropertyDescriptor(context, 'source')) !== `{"value":${JSON.stringify(context.source)},"writable":true,"enumerable":true,"configurable":true}`) told.push('another property');
    told.push(`${key}:${names.length === 0 ? '' : `${names}=${context.source}`}`);
    change(this, key);
    return value;
  });
  return told.join(' ');
}

function source() {
  for (const text of ['1', '-1', '1.0', '-1.10', '0', '-0', '1e5', '1E+05', '1.5e-7', '123456789012345678901234567890', 'true', 'false', 'null', '"abc"', '"\\u0041\\n\\"\\\\"', '"é\u{1F600}"', '""', '"]}, :"']) {
    same(sources(text), `:source=${text}`, `the text of ${text}`);
    same(sources(` \n\t\r${text} `), `:source=${text}`, `the text of ${text} in whitespace`);
    same(sources(`[${text}, ${text}]`), `0:source=${text} 1:source=${text} :`, `in a list ${text}`);
    same(sources(`{ "a" : ${text} ,"b":{"c":[${text}]}}`), `a:source=${text} 0:source=${text} c: b: :`, `in an object ${text}`);
  }
  same(sources('[]'), ':', 'an empty list');
  same(sources('{}'), ':', 'an empty object');
  same(sources('[[[ ]],{}]'), '0: 0: 1: :', 'empty ones');
  same(sources('{"\\u0061":1.0,"":2,"0":3,"__proto__":4.0,"é":5}'), '0:source=3 a:source=1.0 :source=2 __proto__:source=4.0 é:source=5 :', 'odd names');
  // What was replaced has no text; what stayed has.
  same(sources('[1,2,3]', (holder, key) => { if (key === '0') holder[1] = 9; }), '0:source=1 1: 2:source=3 :', 'replaced');
  same(sources('[1,2]', (holder, key) => { if (key === '0') holder[1] = '2'; }), '0:source=1 1: :', 'another kind');
  same(sources('[1,2.0]', (holder, key) => { if (key === '0') holder[1] = 2; }), '0:source=1 1:source=2.0 :', 'the same value');
  same(sources('[1,[2],3]', (holder, key) => { if (key === '0' && Array.isArray(holder[1])) holder[1] = [2, 3]; }), '0:source=1 0: 1: 1: 2:source=3 :', 'another list');
  same(sources('{"a":1,"b":{"c":2}}', (holder, key) => { if (key === 'a') holder.b = { c: 2 }; }), 'a:source=1 c: b: :', 'another object');
  same(sources('[1,[2]]', (holder, key) => { if (key === '0' && Array.isArray(holder[1])) holder[1].push(3); }), '0:source=1 0:source=2 1: 1: :', 'an item more');
  same(sources('[0,-0]', (holder, key) => { if (key === '0') holder[1] = 0; }), '0:source=0 1: :', 'another zero');
  same(sources('[1,2,3]', (holder, key) => { if (key === '0') holder.length = 2; }), '0:source=1 1:source=2 2: :', 'shorter');

  const exact = (text) => JSON.parse(text, (key, value, { source }) => (typeof value === 'number' && !Number.isSafeInteger(value) ? BigInt(source) : value));
  same(String(exact('{"id":12345678901234567890}').id), '12345678901234567890', 'a large number');
  const back = JSON.stringify(JSON.parse('{"a":1.0,"b":[1e2]}', (key, value, { source }) => (typeof value === 'number' ? JSON.rawJSON(source) : value)));
  same(back, '{"a":1.0,"b":[1e2]}', 'there and back');
  const deep = '['.repeat(500) + '1.0' + ']'.repeat(500);
  same(sources(deep).startsWith('0:source=1.0 '), true, 'deep');
  const large = JSON.stringify(Array.from({ length: 20_000 }, (_, at) => ({ at, text: `t${at}` })));
  let wrong = 0;
  JSON.parse(large, (key, value, { source }) => { if (key === 'at' && source !== String(value)) wrong++; return value; });
  same(wrong, 0, 'a long text');
  same(JSON.parse('1e1000') === Infinity && JSON.parse('{"a":[-1e400]}').a[0] === -Infinity, true, 'too large for a number');
  // As before: what a reviver gives back, and what it deletes.
  same(JSON.stringify(JSON.parse('{"a":1,"b":[1,2,3]}', (key, value) => (value === 1 ? undefined : value))), '{"b":[null,2,3]}', 'deleted');
  same(fault(() => JSON.parse('[1', () => 1)), 'SyntaxError', 'no JSON');
  same(fault(() => JSON.parse('[1]', () => { throw new RangeError('mine'); })), 'RangeError', 'an error of the reviver');
  let count = -1;
  JSON.parse('1', function () { count = arguments.length; });
  same(count, 3, 'arguments');
}

export default function () {
  raw();
  source();
  console.log('done');
}
