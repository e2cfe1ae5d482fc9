// The text of a function is whole, also where it ends in a template: it may run elsewhere.
// console: 1x2 a true
// console: b3 true
import exec from 'k6/execution';

const again = (f) => (0, eval)(`(${String(f)})`);

export default function () {
  const f = (x, y) => `${x}x${y} a`;
  console.log(again(f)(1, 2), exec.vu.idInTest > 0);
  const g = () => (n) => 'b' + `${n}`;
  console.log(again(g)()(3), again(() => `c`)() === 'c');
}
