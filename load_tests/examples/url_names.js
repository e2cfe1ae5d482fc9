// Addresses with an id in them are one page to a person: give them one name, or every id becomes a series.
import http from 'k6/http';
import { check } from 'k6';

const BASE_URL = __ENV.BASE_URL || 'http://127.0.0.1:8080';
export const options = { vus: 1, iterations: 1, thresholds: { 'http_reqs{name:risk}': ['count==3'] } };

export default function () {
  const risks = http.get(http.url`${BASE_URL}/api/risks?limit=${3}`).json('data');
  for (const { id } of risks) {
    const res = http.get(`${BASE_URL}/api/risks/${id}`, { tags: { name: 'risk' } });
    check(res, { 'is the one': (r) => r.json('id') === id });
  }
}
