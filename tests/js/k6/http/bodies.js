// Bodies: text as it is, objects as forms, bytes as bytes, nothing as nothing.
// console: text undefined
// console: a=1&b=x+y application/x-www-form-urlencoded
// console: {"a":1} application/json
// console: AB undefined
// console:  undefined
import http from 'k6/http';

export default function () {
  const show = (body, params) => {
    const sent = http.post(`${__ENV.URL}/echo`, body, params).json();
    console.log(sent.body, sent.headers['content-type']);
  };
  show('text');
  show({ a: 1, b: 'x y' });
  show(JSON.stringify({ a: 1 }), { headers: { 'Content-Type': 'application/json' } });
  show(new Uint8Array([65, 66]).buffer);
  show(null);
}
