// Bodies nobody looks at cost memory and time: drop them, except where one is needed.
import http from 'k6/http';
import { check } from 'k6';

const BASE_URL = __ENV.BASE_URL || 'http://127.0.0.1:8080';
export const options = { vus: 2, iterations: 4, discardResponseBodies: true };

export default function () {
  check(http.get(`${BASE_URL}/json`), { 'no body': (r) => r.status === 200 && r.body === null });
  const kept = http.get(`${BASE_URL}/plain`, { responseType: 'text' });
  check(kept, { 'this one has its body': (r) => r.body === 'hello' });
}
