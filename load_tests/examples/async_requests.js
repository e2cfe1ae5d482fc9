// Promises instead of `batch`: what can go at once goes at once, the rest waits for it.
import http from 'k6/http';
import { check } from 'k6';

const BASE_URL = __ENV.BASE_URL || 'http://127.0.0.1:8080';
export const options = { vus: 1, iterations: 2 };

export default async function () {
  const [page, stats] = await Promise.all([
    http.asyncRequest('GET', `${BASE_URL}/plain`),
    http.asyncRequest('GET', `${BASE_URL}/api/stats`),
  ]);
  check(page, { 'page': (r) => r.body === 'hello' });
  check(stats, { 'stats': (r) => r.status === 200 });
  const last = await http.asyncRequest('GET', `${BASE_URL}/health`);
  check(last, { 'and then this': (r) => r.json('status') === 'ok' });
}
