// The smallest useful iteration: one GET and one check.
import { check } from 'k6';
import http from 'k6/http';

const URL = __ENV.URL || 'http://127.0.0.1:8080/plain';

export default function () {
  const res = http.get(URL);
  check(res, { 'status is 200': (r) => r.status === 200 });
}
