// Data of its own for a test: made before, removed after, whatever happened in between.
import http from 'k6/http';
import { check } from 'k6';
import { Api } from './lib/api.js';

const BASE_URL = __ENV.BASE_URL || 'http://127.0.0.1:8080';
export const options = { vus: 2, iterations: 4, setupTimeout: '10s', teardownTimeout: '10s' };

export function setup() {
  const api = Api.login(BASE_URL);
  const risks = [1, 2, 3].map((impact) => ({ title: 'Only for this test', impact, probability: 1 }));
  return { headers: api.headers, ids: api.post('/api/v1/risks/bulk', risks).json('ids') };
}

export default function ({ headers, ids }) {
  const id = ids[__ITER % ids.length];
  const res = http.get(`${BASE_URL}/api/v1/risks/${id}`, { headers, tags: { name: 'risk' } });
  check(res, { 'ours is there': (r) => r.json('title') === 'Only for this test' });
}

export function teardown({ headers, ids }) {
  for (const id of ids) http.del(`${BASE_URL}/api/v1/risks/${id}`, null, { headers, tags: { name: 'cleanup' } });
}
