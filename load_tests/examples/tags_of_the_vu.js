// A tag for everything that follows: set it on the VU.
import http from 'k6/http';
import exec from 'k6/execution';
import { check } from 'k6';

const BASE_URL = __ENV.BASE_URL || 'http://127.0.0.1:8080';
export const options = {
  vus: 1, iterations: 2, tags: { release: 'demo' },
  thresholds: { 'http_reqs{step:search,release:demo}': ['count==2'], 'http_reqs{step:view}': ['count==2'] },
};

export default function () {
  exec.vu.metrics.tags.step = 'search';
  check(http.get(`${BASE_URL}/api/risks?limit=1`), { 'found': (r) => r.status === 200 });
  exec.vu.metrics.tags.step = 'view';
  check(http.get(`${BASE_URL}/api/stats`), { 'seen': (r) => r.status === 200 });
}
