// Nobody answers: no exception, but a status of 0, a text and a code.
import http from 'k6/http';
import { check } from 'k6';

const BASE_URL = __ENV.BASE_URL || 'http://127.0.0.1:8080';
export const options = { vus: 1, iterations: 1 };

export default function () {
  const refused = http.get('http://127.0.0.1:1/', { timeout: '2s', tags: { name: 'nobody' } });
  check(refused, {
    'no status': (r) => r.status === 0,
    'refused': (r) => r.error_code === 1212,
    'and a text': (r) => r.error.includes('refused'),
  });
  check(http.get(`${BASE_URL}/plain`), { 'others still answer': (r) => r.status === 200 });
}
