// Jars can be looked at, filled and emptied.
// console: {"a":["1"]}
// console: mine=9
// console: null
import http from 'k6/http';

export default function () {
  const jar = http.cookieJar();
  http.get(`${__ENV.URL}/cookies/set?a=1`);
  console.log(JSON.stringify(jar.cookiesForURL(__ENV.URL)));
  const own = new http.CookieJar();
  own.set(__ENV.URL, 'mine', '9');
  console.log(http.get(`${__ENV.URL}/cookies`, { jar: own }).json());
  jar.clear(__ENV.URL);
  console.log(http.get(`${__ENV.URL}/cookies`).json());
}
