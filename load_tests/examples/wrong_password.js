// A refusal can be what is right: tell the test which statuses are expected, or they count as failed requests.
import http from 'k6/http';
import { check } from 'k6';

const BASE_URL = __ENV.BASE_URL || 'http://127.0.0.1:8080';
export const options = { vus: 1, iterations: 2, thresholds: { http_req_failed: ['rate==0'] } };

export default function () {
  const params = { responseCallback: http.expectedStatuses(401, { min: 400, max: 403 }) };
  const res = http.post(`${BASE_URL}/api/v1/auth/login`, { email: 'admin@demo.local', password: 'wrong' }, params);
  check(res, { 'is refused': (r) => r.status === 401, 'gets no token': (r) => r.json('token') === undefined });
}
