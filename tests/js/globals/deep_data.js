// Data may be nested 10,000 deep, whatever walks it.
// console: String 0
// console: join 0
// console: toLocaleString 0
// console: stringify 20000
// console: objects 60000
// console: parse 10000
// console: parse with a reviver 10000
// console: flat 1
// console: toJSON 3
// console: getters 10000
// console: valueOf 10000
// console: proxies 1
// console: prototypes 1
// console: bound 1
// console: freed
const DEPTH = 10000;
const lists = () => {
  let list = [];
  for (let i = 1; i < DEPTH; i += 1) list = [list];
  return list;
};
const objects = () => {
  let object = {};
  for (let i = 0; i < DEPTH; i += 1) object = { a: object };
  return object;
};
const levels = (list) => {
  let count = 0;
  for (let at = list; at; at = at[0]) count += 1;
  return count;
};
const around = (count, first, wrap) => {
  let inner = first;
  for (let i = 0; i < count; i += 1) inner = wrap(inner);
  return inner;
};
const getter = (inner) => ({ get next() { return 1 + (inner ? inner.next : 0); } });
const value = (inner) => ({ valueOf() { return 1 + (inner ? Number(inner) : 0); } });
const json = (inner) => ({ toJSON() { return inner ? JSON.parse(JSON.stringify(inner)) : 'x'; } });

export default function () {
  console.log('String', String(lists()).length);
  console.log('join', lists().join().length);
  console.log('toLocaleString', lists().toLocaleString().length);
  console.log('stringify', JSON.stringify(lists()).length);
  console.log('objects', JSON.stringify(objects()).length - 2);
  console.log('parse', levels(JSON.parse('['.repeat(DEPTH) + ']'.repeat(DEPTH))));
  console.log('parse with a reviver', levels(JSON.parse('['.repeat(DEPTH) + ']'.repeat(DEPTH), (key, item) => item)));
  console.log('flat', [lists(), 1].flat(Infinity).length);
  console.log('toJSON', JSON.stringify(around(1000, null, json)).length);
  console.log('getters', around(DEPTH, null, getter).next);
  console.log('valueOf', Number(around(DEPTH, null, value)));
  console.log('proxies', around(DEPTH, { a: 1 }, (inner) => new Proxy(inner, {})).a);
  console.log('prototypes', around(DEPTH, { a: 1 }, Object.create).a);
  console.log('bound', around(DEPTH, () => 1, (inner) => inner.bind(null))());
  console.log('freed');
}
