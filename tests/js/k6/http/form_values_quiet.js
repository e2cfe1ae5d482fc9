// A form whose values are plain warns of nothing.
// no log: cannot urlencode
// console: a=&b=1&b=&c=x
import http from 'k6/http';
export default function () {
  console.log(http.post(`${__ENV.URL}/echo`, { a: null, b: [1, undefined], c: 'x' }).json('body'));
}
