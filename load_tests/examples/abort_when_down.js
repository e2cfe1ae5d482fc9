// No use in going on: end the test before it begins if the target is not healthy.
import http from 'k6/http';
import exec from 'k6/execution';
import { check } from 'k6';

const BASE_URL = __ENV.BASE_URL || 'http://127.0.0.1:8080';

export function setup() {
  const health = http.get(`${BASE_URL}/health`);
  if (health.status !== 200 || health.json('status') !== 'ok') {
    exec.test.abort(`${BASE_URL} is not healthy: ${health.status} ${health.error}`);
  }
}

export default function () {
  check(http.get(`${BASE_URL}/plain`), { 'is up': (r) => r.status === 200 });
}
