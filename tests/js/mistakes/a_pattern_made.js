// log: SyntaxError: ...a_pattern_made.js:
export default function () {
  const name = '(';
  new RegExp(name + 'a');
}
