// Form bodies: nothing is empty, also in a list; what is nested is empty, with a warning that names its kind; the rest as Go
// prints it. Lists repeat a name, except beside files.
// log: cannot urlencode a nested map[string]interface {} value in a request form body; encoding it as an empty value, use JSON.stringify() to send structured data
// log: cannot urlencode a nested []interface {} value in a request form body; encoding it as an empty value, use JSON.stringify() to send structured data
// console: another=&data=x application/x-www-form-urlencoded 200
// console: c=one&c= application/x-www-form-urlencoded 200
// console: c=&c=&c=0&c=false&c= application/x-www-form-urlencoded 200
// console: o= application/x-www-form-urlencoded 200
// console: l=&l=x&l= application/x-www-form-urlencoded 200
// console: b=true&e=&f=1.5&n=1 application/x-www-form-urlencoded 200
// console: a=&b=&z=1 application/x-www-form-urlencoded 200
// console: f=the file|l=|n=|o=|t=x
// console: {"a":{"b":null}} application/json 200
import http from 'k6/http';

const show = (body, params) => {
  const response = http.post(`${__ENV.URL}/echo`, body, params);
  const sent = response.json();
  console.log(sent.body, sent.headers['content-type'], response.status);
};

export default function () {
  show({ data: 'x', another: null });
  show({ c: ['one', null] });
  show({ c: [undefined, null, 0, false, ''] });
  show({ o: { a: 1 } });
  show({ l: [[1, 2], 'x', { a: 1 }] });
  show({ e: '', n: 1, f: 1.5, b: true });
  show({ z: 1, a: undefined, b: {} });
  const file = http.file('the file', 'f.txt');
  const body = http.post(`${__ENV.URL}/echo`, { f: file, n: null, o: { a: 1 }, l: [1, 2], t: 'x' }).json('body');
  const parts = body.split('\r\n--').map((part) => /name="(.)"(?:.|\r\n)*?\r\n\r\n([^]*)$/.exec(part)).filter((found) => found);
  console.log(parts.map(([, name, text]) => `${name}=${text}`).sort().join('|'));
  show(JSON.stringify({ a: { b: null } }), { headers: { 'Content-Type': 'application/json' } });
}
