// A string that is too long is an exception, and one that is not is as the language says.
// console: repeat RangeError
// console: padStart RangeError
// console: padEnd RangeError
// console: join RangeError
// console: buffer RangeError
// console: array RangeError
// console: ababab ääää "" ""
// console: 007 7-=-= 7 undefinedundefined
// console: RangeError RangeError TypeError 1
const name = (work) => {
  try {
    work();
    return 'went';
  } catch (error) {
    return error.name === 'InternalError' ? 'RangeError' : error.name;
  }
};

export default function () {
  console.log('repeat', name(() => 'x'.repeat(2 ** 31)));
  console.log('padStart', name(() => 'x'.padStart(2 ** 31)));
  console.log('padEnd', name(() => 'x'.padEnd(2 ** 31, 'ab')));
  console.log('join', name(() => ['x'.repeat(2 ** 29), 'x'.repeat(2 ** 29), 'x'.repeat(2 ** 29)].map((x) => x.repeat(4))));
  console.log('buffer', name(() => new ArrayBuffer(2 ** 45)));
  console.log('array', name(() => new Float64Array(2 ** 42)));
  console.log('ab'.repeat(3), 'ä'.repeat({ valueOf: () => 4 }), JSON.stringify('x'.repeat()), JSON.stringify(''.repeat(9)));
  console.log('7'.padStart(3, 0), '7'.padEnd(5, '-='), '7'.padStart(), `${undefined}`.repeat(2.9));
  console.log(name(() => 'x'.repeat(-1)), name(() => 'x'.repeat(Infinity)), name(() => String.prototype.repeat.call(null, 1)), String.prototype.repeat.length);
}
