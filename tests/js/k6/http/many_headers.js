// An answer may have very many headers; cookies up to Go's number.
// console: 200 40002 39999
// console: 2999 3000 0
// console: 2999 2999 3000
import http from 'k6/http';

export default function () {
  const r = http.get(`${__ENV.URL}/headers/40000`);
  console.log(r.status, Object.keys(r.headers).length, r.headers['X-Many-39999']);
  const cookies = [2999, 3000, 3001].map((count) => Object.keys(http.get(`${__ENV.URL}/cookies/many/${count}`).cookies).length);
  console.log(cookies.join(' '));
  http.cookieJar().clear(__ENV.URL);
  const kept = [2999, 3001, 3000].map((count) => {
    http.get(`${__ENV.URL}/cookies/many/${count}`);
    return Object.keys(http.cookieJar().cookiesForURL(__ENV.URL)).length;
  });
  console.log(kept.join(' '));
}
