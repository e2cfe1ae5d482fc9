// Not everybody does the same: of ten users seven read, two search, one looks at the figures.
import http from 'k6/http';
import { check } from 'k6';

const BASE_URL = __ENV.BASE_URL || 'http://127.0.0.1:8080';
export const options = { vus: 2, iterations: 10 };

const journeys = [
  [7, () => http.get(`${BASE_URL}/api/risks?limit=5`, { tags: { journey: 'read' } })],
  [2, () => http.get(`${BASE_URL}/api/risks?search=data`, { tags: { journey: 'search' } })],
  [1, () => http.get(`${BASE_URL}/api/stats/risk-matrix`, { tags: { journey: 'figures' } })],
];
const total = journeys.reduce((sum, [weight]) => sum + weight, 0);

export default function () {
  let at = Math.random() * total;
  const [, journey] = journeys.find(([weight]) => (at -= weight) < 0);
  check(journey(), { 'is answered': (r) => r.status === 200 });
}
