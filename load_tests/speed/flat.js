// Does memory stay level? 20 VUs make many requests; the first one says when a tenth of them is done, and when nearly
// all are. run.py reads the resident memory at these two lines, so the second must come before the process ends.
import { check } from 'k6';
import http from 'k6/http';

const URL = __ENV.URL || 'http://127.0.0.1:8080/plain';
const VUS = 20;
const EACH = Number(__ENV.REQUESTS || 2000000) / VUS;

export const options = {
  scenarios: {
    flat: { executor: 'per-vu-iterations', vus: VUS, iterations: EACH, maxDuration: '60m' },
  },
};

export default function () {
  check(http.get(URL), { 'status is 200': (r) => r.status === 200 });
  if (__VU === 1) {
    if (__ITER === EACH / 10) {
      console.log('speed-mark early');
    } else if (__ITER === EACH - EACH / 100) {
      console.log('speed-mark late');
    }
  }
}
