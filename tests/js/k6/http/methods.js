// Every method arrives as itself.
// console: GET POST PUT PATCH DELETE OPTIONS PURGE
// console: 200 null
import http from 'k6/http';

export default function () {
  const url = `${__ENV.URL}/echo`;
  const all = [
    http.get(url), http.post(url), http.put(url), http.patch(url), http.del(url), http.options(url), http.request('PURGE', url),
  ];
  console.log(all.map((response) => response.json('method')).join(' '));
  const head = http.head(url);
  console.log(head.status, head.body === '' ? null : head.body);
}
