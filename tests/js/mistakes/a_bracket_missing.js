// exit: 107
// log: SyntaxError: ...file://.../a_bracket_missing.js:8:3
// hint: Expected `,` or `)` but found `Identifier`
import http from 'k6/http';

export default function () {
  http.get(`${__ENV.URL}/`
  console.log('sent');
}
