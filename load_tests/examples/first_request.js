// One request: is anybody there?
import http from 'k6/http';
import { check } from 'k6';

const BASE_URL = __ENV.BASE_URL || 'http://127.0.0.1:8080';

export default function () {
  const res = http.get(`${BASE_URL}/health`);
  check(res, { 'the target answers': (r) => r.status === 200 });
}
