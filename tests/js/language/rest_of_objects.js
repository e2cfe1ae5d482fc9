// The rest of an object lacks every name that is read before it, also those whose values are taken apart.
// console: {"e":3} {"e":3} {"e":3} {"e":3} {"e":3}
// console: {"e":3} {"e":3} {"e":3} {"e":3}
// console: {"e":3} {"e":3} {"e":3} {"f":4} {"d":5}
// console: {"e":3} ["b","e"] 1
// console: {"e":3}
export const { x: { y } = {}, ...exported } = { x: { y: 1 } };

export default async function () {
  const data = { b: { c: 1, d: 5 }, e: 3 };
  const list = { b: [1], e: 3 };
  const show = (...rests) => console.log(rests.map((rest) => JSON.stringify(rest)).join(' '));
  const { b: { c }, ...r1 } = data;
  const { b: [c2], ...r2 } = list;
  let { b: { c: c3 } = {}, ...r3 } = data;
  var { 'b': { ...c4 }, ...r4 } = data;
  const key = 'b';
  const { [key]: { c: c5 }, ...r5 } = data;
  show(r1, r2, r3, r4, r5);

  const f = ({ b: { c }, ...rest }) => rest;
  function g({ b: [] = [], ...rest }, ...more) {
    return rest;
  }
  const h = async ({ b: { c }, ...rest } = {}) => rest;
  const m = { m({ b: { c }, ...rest }) { return rest; } };
  show(f(data), g(list), await h(data), m.m(data));

  let rest, inner, all;
  ({ b: { c: rest }, ...all } = data);
  const seen = [all];
  ({ b: [inner] = [], ...all } = list);
  seen.push(all);
  for (const { b: { c }, ...rest } of [data]) seen.push(rest);
  for ({ b: { c: inner }, e: [] = [], ...all } of [{ b: {}, e: [], f: 4 }]) seen.push(all);
  const { b: { c: c6, ...r6 }, ...r7 } = data;
  seen.push(r6);
  show(...seen);
  try {
    throw data;
  } catch ({ b: { c }, ...rest }) {
    console.log(JSON.stringify(rest), JSON.stringify(Object.keys(data)), c);
  }
  console.log(JSON.stringify(r7));
}
