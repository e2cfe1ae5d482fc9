// Does it last? A day of moderate, mixed load: 30 minutes up, 23 hours level, 30 minutes down.
//
//   volley run load_tests/soak.js
//   volley run -e SOAK_VUS=5 -e SOAK_RAMP=10s -e SOAK_HOLD=1m load_tests/soak.js      the same in small, to try it out
//
// Look for what creeps: memory and connections of the target, and a p95 that is worse in the last hour than at first.

import { check, group, sleep } from 'k6';
import http from 'k6/http';
import { Rate } from 'k6/metrics';

const BASE_URL = __ENV.BASE_URL || 'http://127.0.0.1:8080';
const VUS = Number(__ENV.SOAK_VUS || 20);
const RAMP = __ENV.SOAK_RAMP || '30m';
const HOLD = __ENV.SOAK_HOLD || '23h';

const cacheHits = new Rate('cache_hits');

export const options = {
  // A day of response bodies nobody reads would be a day of copying; requests that need theirs say so.
  discardResponseBodies: true,
  scenarios: {
    soak: {
      executor: 'ramping-vus',
      startVUs: 0,
      stages: [
        { duration: RAMP, target: VUS },
        { duration: HOLD, target: VUS },
        { duration: RAMP, target: 0 },
      ],
      gracefulRampDown: '30s',
      gracefulStop: '30s',
    },
  },
  thresholds: {
    'http_req_failed{scenario:soak}': ['rate<0.001'],
    'http_req_duration{scenario:soak}': ['p(95)<500'],
    checks: ['rate>0.999'],
  },
};

export default function () {
  group('browse', () => {
    visit('list', `/api/risks?page=${1 + (__ITER % 5)}&limit=20`);
    sleep(1);
    visit('search', `/api/risks?search=${['key', 'law', 'invoice'][__ITER % 3]}`);
  });
  sleep(1);
  group('dashboard', () => {
    visit('stats', '/api/stats');
    visit('matrix', '/api/stats/risk-matrix');
    visit('trends', '/api/stats/trends');
  });
  if (__ITER % 60 === 0) {
    const health = http.get(`${BASE_URL}/health`, { tags: { name: 'health' }, responseType: 'text' });
    check(health, { 'target is healthy': (res) => res.status === 200 && res.json('status') === 'ok' });
  }
  sleep(2 + Math.random() * 2);
}

function visit(name, path) {
  const res = http.get(BASE_URL + path, { tags: { name } });
  check(res, { 'status is 200': (r) => r.status === 200 });
  cacheHits.add(res.headers['X-Cache'] === 'HIT');
}
