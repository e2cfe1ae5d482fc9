// The language both engines speak.
// console: 3 a-b 1,2,3 2n
// console: fallback 5 true
// console: 1 2
class Base {
  #secret = 3;
  static make() {
    return new this();
  }
  get secret() {
    return this.#secret;
  }
}
function* numbers() {
  yield 1;
  yield 2;
}
export default async function () {
  const [first, ...rest] = 'a-b'.split('-');
  console.log(Base.make().secret, `${first}-${rest}`, [...new Set([1, 2, 2, 3])].join(), String(1n + 1n) + 'n');
  const nothing = undefined;
  console.log(nothing?.x ?? 'fallback', Math.max(...[1, 5]), /(?<year>\d{4})/.exec('in 2026').groups.year === '2026');
  const seen = [];
  for await (const n of numbers()) seen.push(n);
  console.log(...seen);
}
