// One GET per iteration, started by a schedule. RATE is per second; RAMP goes from 0 up to it and down to 0 again. SLOW is a
// pause in seconds, so that few VUs (VUS) can't keep up.
import http from 'k6/http';
import { sleep } from 'k6';

const URL = __ENV.URL || 'http://127.0.0.1:8080/plain';
const RATE = Number(__ENV.RATE || 50);
const SECONDS = Number(__ENV.SECONDS || 60);
const VUS = Number(__ENV.VUS || 50);
const SLOW = Number(__ENV.SLOW || 0);

const pace = __ENV.RAMP
  ? {
      executor: 'ramping-arrival-rate',
      startRate: 0,
      stages: [{ duration: `${SECONDS / 2}s`, target: RATE }, { duration: `${SECONDS / 2}s`, target: 0 }],
    }
  : { executor: 'constant-arrival-rate', rate: RATE, duration: `${SECONDS}s` };

export const options = { scenarios: { pace: { ...pace, preAllocatedVUs: VUS, maxVUs: VUS } } };

export default function () {
  http.get(URL);
  if (SLOW > 0) sleep(SLOW);
}
