// People read before they click: pauses between steps, never the same.
import http from 'k6/http';
import { check, sleep } from 'k6';

const BASE_URL = __ENV.BASE_URL || 'http://127.0.0.1:8080';
export const options = { vus: 2, iterations: 4 };

const think = (least, most) => sleep(least + Math.random() * (most - least));

export default function () {
  check(http.get(`${BASE_URL}/api/risks?limit=5`), { 'list': (r) => r.status === 200 });
  think(0.05, 0.15);
  check(http.get(`${BASE_URL}/api/stats`), { 'stats': (r) => r.status === 200 });
  think(0.05, 0.1);
}
