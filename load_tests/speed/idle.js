// What a waiting VU costs: each makes one request and keeps its connection, or none if URL is empty, and sleeps until
// run.py has read the memory.
import { check, sleep } from 'k6';
import http from 'k6/http';

const URL = __ENV.URL ?? 'http://127.0.0.1:8080/plain';

export const options = {
  scenarios: {
    idle: {
      executor: 'per-vu-iterations',
      vus: Number(__ENV.IDLE_VUS || 100),
      iterations: 1,
      maxDuration: '30m',
      gracefulStop: '0s',
    },
  },
};

export default function () {
  // Iterations begin when all VUs are made.
  if (__VU === 1) {
    console.log('speed-mark ready');
  }
  // A short spread, so that thousands of connections don't open in the same instant.
  sleep(Math.random() * 3);
  if (URL) {
    check(http.get(URL), { 'status is 200': (r) => r.status === 200 });
  }
  sleep(1800);
}
