// exit: 107
// log: SyntaxError: ...file://.../a_brace_missing.js:6:4
// hint: Expected `}` but found `EOF`
export default function () {
  if (__VU > 0) {
  }
