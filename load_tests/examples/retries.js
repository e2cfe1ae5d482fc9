// Try again, a little later each time; what was tried is counted apart.
import http from 'k6/http';
import { check, sleep } from 'k6';
import { Counter } from 'k6/metrics';

const BASE_URL = __ENV.BASE_URL || 'http://127.0.0.1:8080';
const retries = new Counter('retries');
export const options = { vus: 1, iterations: 2 };

function getWithRetries(url, times, isGood) {
  let res;
  for (let attempt = 0; attempt < times; attempt++) {
    if (attempt > 0) {
      retries.add(1);
      sleep(0.02 * 2 ** attempt);
    }
    res = http.get(url, { tags: { attempt: String(attempt) } });
    if (isGood(res, attempt)) break;
  }
  return res;
}

export default function () {
  const res = getWithRetries(`${BASE_URL}/plain`, 4, (r, attempt) => r.status === 200 && attempt === 2);
  check(res, { 'good at last': (r) => r.status === 200 });
}
