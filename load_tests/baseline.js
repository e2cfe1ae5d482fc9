// What is normal? A small, constant number of users reads the register without logging in.
//
// Run it on a quiet system before and after a change, and compare the figures:
//   volley run load_tests/baseline.js --summary-export=before.json

import { check, sleep } from 'k6';
import http from 'k6/http';

const BASE_URL = __ENV.BASE_URL || 'http://127.0.0.1:8080';

export const options = {
  vus: 5,
  duration: '1m',
  thresholds: {
    http_req_failed: ['rate<0.01'],
    'http_req_duration{name:health}': ['p(95)<100'],
    'http_req_duration{name:list}': ['p(95)<500'],
    checks: ['rate>0.99'],
  },
};

export default function () {
  const health = http.get(`${BASE_URL}/health`, { tags: { name: 'health' } });
  check(health, { 'target is healthy': (res) => res.status === 200 && res.json('status') === 'ok' });

  const page = 1 + (__ITER % 5);
  const list = http.get(`${BASE_URL}/api/risks?page=${page}&limit=20`, { tags: { name: 'list' } });
  check(list, {
    'list is there': (res) => res.status === 200,
    'list has a total': (res) => res.json('total') >= 0,
  });

  const stats = http.get(`${BASE_URL}/api/stats`, { tags: { name: 'stats' } });
  check(stats, { 'stats are there': (res) => res.status === 200 });
  sleep(0.5);
}
