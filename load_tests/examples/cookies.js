// Cookies live in a jar per VU; what is set by hand is sent like any other.
import http from 'k6/http';
import { check } from 'k6';

const BASE_URL = __ENV.BASE_URL || 'http://127.0.0.1:8080';
export const options = { vus: 1, iterations: 2 };

export default function () {
  const jar = http.cookieJar();
  jar.set(BASE_URL, 'theme', 'dark', { path: '/', max_age: 600 });
  const res = http.get(`${BASE_URL}/plain`, { cookies: { once: 'yes' } });
  const sent = res.request.headers.Cookie[0];
  check(sent, { 'both were sent': (text) => text.includes('theme=dark') && text.includes('once=yes') });
  check(jar.cookiesForURL(`${BASE_URL}/plain`), {
    'one stays': (cookies) => cookies.theme[0] === 'dark' && cookies.once === undefined,
  });
}
