// The same function for several parts of a system: scenarios bring variables and tags.
import http from 'k6/http';
import { check } from 'k6';

const BASE_URL = __ENV.BASE_URL || 'http://127.0.0.1:8080';
const part = (path) => ({
  executor: 'per-vu-iterations', vus: 1, iterations: 2, env: { TARGET_PATH: path }, tags: { part: path },
});
export const options = {
  scenarios: { plain: part('/plain'), health: part('/health') },
  thresholds: { 'http_reqs{part:/health}': ['count==2'] },
};

export default function () {
  check(http.get(BASE_URL + __ENV.TARGET_PATH), { 'is up': (r) => r.status === 200 });
}
