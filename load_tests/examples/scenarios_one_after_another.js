// First warm up, then measure: `startTime` puts scenarios one after another.
import http from 'k6/http';
import exec from 'k6/execution';
import { check } from 'k6';

const BASE_URL = __ENV.BASE_URL || 'http://127.0.0.1:8080';
export const options = {
  scenarios: {
    warmup: { executor: 'shared-iterations', vus: 1, iterations: 2, maxDuration: '5s' },
    measure: { executor: 'shared-iterations', vus: 2, iterations: 4, startTime: '500ms' },
  },
  thresholds: { 'http_req_duration{scenario:measure}': ['p(95)<2000'] },
};

export default function () {
  const res = http.get(`${BASE_URL}/plain`);
  check(res, { [`${exec.scenario.name} is answered`]: (r) => r.status === 200 });
}
