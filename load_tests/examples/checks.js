// What a response can be checked for: status, headers, body, JSON, time.
import http from 'k6/http';
import { check } from 'k6';

const BASE_URL = __ENV.BASE_URL || 'http://127.0.0.1:8080';
export const options = { vus: 2, iterations: 4 };

export default function () {
  const res = http.get(`${BASE_URL}/json`);
  const ok = check(res, {
    'status is 200': (r) => r.status === 200,
    'it is JSON': (r) => r.headers['Content-Type'] === 'application/json',
    'the body is not empty': (r) => r.body.length > 0,
    'there are twenty': (r) => r.json('data.#') === 20,
    'all have a title': (r) => r.json('data').every((risk) => risk.title),
    'it came within 10 s': (r) => r.timings.duration < 10000,
  });
  if (!ok) console.error(`unexpected answer: ${res.status} ${res.body}`);
}
