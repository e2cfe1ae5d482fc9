// Functions may call each other 10,000 deep, also through what the language calls them with.
// console: itself 10000
// console: methods 10000
// console: callbacks 3000
// console: constructors 3000
// console: generators 500
// console: promises 10000
// console: goes on
const itself = (n) => (n > 0 ? 1 + itself(n - 1) : 0);
const other = { even(n) { return n > 0 ? 1 + this.odd(n - 1) : 0; }, odd(n) { return n > 0 ? 1 + this.even(n - 1) : 0; } };
const callbacks = (n) => (n > 0 ? 1 + [n].map((m) => callbacks(m - 1))[0] : 0);
class Chain {
  constructor(n) {
    this.length = n > 0 ? 1 + new Chain(n - 1).length : 0;
  }
}
function* generators(n) {
  if (n > 0) yield* generators(n - 1);
  yield n;
}
const promises = async (n) => (n > 0 ? 1 + (await promises(n - 1)) : 0);

export default async function () {
  console.log('itself', itself(10000));
  console.log('methods', other.even(10000));
  console.log('callbacks', callbacks(3000));
  console.log('constructors', new Chain(3000).length);
  console.log('generators', [...generators(500)].length - 1);
  console.log('promises', await promises(10000));
  console.log('goes on');
}
