// Does memory stay level when there is a lot to keep apart? 200 endpoints, 50 thresholds, many requests. outputs.py reads
// the resident memory where the first VU says that a tenth of them is done, and again when nearly all are.
import { check } from 'k6';
import http from 'k6/http';

const URL = __ENV.URL || 'http://127.0.0.1:8080/plain';
const VUS = 20;
const EACH = Number(__ENV.REQUESTS || 10000000) / VUS;
const ENDPOINTS = 200;

const thresholds = {};
for (let endpoint = 0; endpoint < 25; endpoint++) {
  thresholds[`http_req_duration{name:endpoint ${endpoint}}`] = ['p(95)<10000'];
  thresholds[`http_req_failed{name:endpoint ${endpoint}}`] = ['rate<0.01'];
}

export const options = {
  thresholds,
  scenarios: {
    wide: { executor: 'per-vu-iterations', vus: VUS, iterations: EACH, maxDuration: '120m' },
  },
};

export default function () {
  const res = http.get(URL, { tags: { name: `endpoint ${__ITER % ENDPOINTS}` } });
  check(res, { 'status is 200': (r) => r.status === 200 });
  if (__VU === 1) {
    if (__ITER === EACH / 10) {
      console.log('speed-mark early');
    } else if (__ITER === EACH - EACH / 100) {
      console.log('speed-mark late');
    }
  }
}
