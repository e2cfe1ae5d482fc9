// exit: 107
// log: SyntaxError: ...a_pattern_written.js:
export default function () {
  console.log(/(a/.test('a'));
}
