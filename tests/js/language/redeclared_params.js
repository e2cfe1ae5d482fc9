// A function may declare its parameters again, whatever kinds of parameters it has.
// console: 9,2 1,2 5,6,undefined 3,1 2
// console: 0,1,2 a,b 4
// console: 7 8
function plain(a, b = 2) {
  var a = 9;
  return [a, b];
}
function kept(a, b = 2) {
  var a;
  var a = a || 3;
  return [a, b];
}
const several = ({ a }, ...rest) => {
  var a = 5, b = a + 1, c;
  return [a, b, c];
};
function options(options, done = () => 1) {
  var options = options || { n: 3 };
  return [options.n, done()];
}
const nested = (a = 1) => {
  const f = () => {
    var a = 5;
    return a;
  };
  f();
  var a = a + 1;
  return a;
};
function loops(a = 1, b = 2) {
  const seen = [];
  for (var a = 0; a < 3; a++) seen.push(a);
  const names = [];
  for (var b in { a: 1, b: 2 }) names.push(b);
  return [seen.join(), names.join()];
}
class A {
  static m(a = 1) {
    if (a) var a = 4;
    return a;
  }
}
async function later(a, b = 1) {
  var a = await (a ?? 7);
  return a;
}

export default async function () {
  console.log(plain(1).join(), kept(1).join(), several({ a: 1 }, 2).map(String).join(), options().join(), nested());
  console.log(...loops(), A.m());
  console.log(await later(), await later(8));
}
