// When is a test passed? Thresholds decide the exit code: 0, or 99 if one is crossed.
import http from 'k6/http';
import { check } from 'k6';

const BASE_URL = __ENV.BASE_URL || 'http://127.0.0.1:8080';
export const options = {
  vus: 2,
  iterations: 10,
  thresholds: {
    http_req_failed: ['rate<0.01'],
    http_req_duration: ['p(95)<2000', 'max<10000'],
    checks: ['rate>0.99'],
    // Ends the test early, once there was time for the first answers.
    iterations: [{ threshold: 'count>=1', abortOnFail: true, delayAbortEval: '30s' }],
  },
};

export default function () {
  check(http.get(`${BASE_URL}/plain`), { 'says hello': (r) => r.body === 'hello' });
}
