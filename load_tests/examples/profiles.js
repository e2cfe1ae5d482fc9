// One script, several sizes: `-e PROFILE=smoke`, `load` or `stress`.
import http from 'k6/http';
import { check, sleep } from 'k6';

const BASE_URL = __ENV.BASE_URL || 'http://127.0.0.1:8080';
const profiles = {
  smoke: { vus: 1, iterations: 2 },
  load: { stages: [{ duration: '1m', target: 20 }, { duration: '5m', target: 20 }, { duration: '1m', target: 0 }] },
  stress: { stages: [{ duration: '2m', target: 100 }, { duration: '2m', target: 200 }, { duration: '2m', target: 0 }] },
};
const profile = __ENV.PROFILE || 'smoke';
if (!profiles[profile]) throw new Error(`there is no profile ${profile}, only ${Object.keys(profiles).join(', ')}`);

export const options = { ...profiles[profile], thresholds: { http_req_failed: ['rate<0.01'] } };

export default function () {
  check(http.get(`${BASE_URL}/plain`), { 'is up': (r) => r.status === 200 });
  sleep(profile === 'smoke' ? 0 : 1);
}
