// Two kinds of users at once, each with its own function and pace.
import http from 'k6/http';
import { check, sleep } from 'k6';
import { Api } from './lib/api.js';

const BASE_URL = __ENV.BASE_URL || 'http://127.0.0.1:8080';
export const options = {
  scenarios: {
    readers: { executor: 'constant-vus', exec: 'read', vus: 2, duration: '1s' },
    writers: { executor: 'per-vu-iterations', exec: 'write', vus: 1, iterations: 2 },
  },
  thresholds: { 'http_req_failed{scenario:readers}': ['rate==0'], 'iterations{scenario:writers}': ['count==2'] },
};

export function read() {
  check(http.get(`${BASE_URL}/api/risks?limit=5`), { 'read': (r) => r.status === 200 });
  sleep(0.1);
}

export function write() {
  const res = Api.login(BASE_URL).post('/api/v1/risks', { title: 'Written', impact: 1, probability: 1 });
  check(res, { 'written': (r) => r.status === 201 });
}
