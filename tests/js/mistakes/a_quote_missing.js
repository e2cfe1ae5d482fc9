// exit: 107
// log: SyntaxError: ...file://.../a_quote_missing.js:5:15
// hint: Unterminated string
export default function () {
  console.log('hello);
}
