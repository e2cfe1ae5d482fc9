// Of params and other objects only the names are read that mean something.
// console: 200 200 200 200 200 200
// console: 200 200
// console: headers,tags
// console: b 1 tasty
// console: true
// console: a host object, maybe, but no jar: 200
import http from 'k6/http';

const around = (more) => {
  const odd = { ...more, symbol: Symbol('s'), big: 1n, call: () => 1, map: new Map() };
  odd.self = odd;
  Object.defineProperty(odd, 'trap', { enumerable: true, get() { throw new Error('nobody asked'); } });
  return odd;
};

export default async function () {
  const url = `${__ENV.URL}/echo`;
  const params = around({ headers: { a: 'b' } });
  console.log(
    http.get(url, params).status, http.head(url, params).status, http.post(url, 'x', params).status,
    http.del(url, null, params).status, http.request('GET', url, null, params).status,
    (await http.asyncRequest('GET', url, null, params)).status,
  );
  console.log(
    http.batch([['GET', url, null, params]])[0].status,
    http.batch([around({ method: 'GET', url, params })])[0].status,
  );
  const read = [];
  const watched = new Proxy({ tags: { t: '1' }, headers: {}, Timeout: 1, name: 'x' }, {
    get(object, name) {
      read.push(name);
      return object[name];
    },
  });
  http.get(url, watched);
  console.log(read.sort().join());
  const sent = http.get(url, { headers: { a: 'b', n: 1 }, cookies: { c: around({ value: 'tasty' }) } }).json('headers');
  console.log(sent.a, sent.n, sent.cookie.split('=')[1]);
  const jar = http.cookieJar();
  console.log(jar.set(url, 'k', 'v', around({ path: '/', max_age: 60 })) && http.expectedStatuses(around({ min: 200, max: 299 })) !== null);
  console.log('a host object, maybe, but no jar:', http.get(url, { jar: around({}) }).status);
}
