// Up, level, down: the shape of most load tests, here within three seconds.
import http from 'k6/http';
import { check, sleep } from 'k6';

const BASE_URL = __ENV.BASE_URL || 'http://127.0.0.1:8080';
export const options = {
  stages: [
    { duration: '500ms', target: 4 },
    { duration: '500ms', target: 4 },
    { duration: '500ms', target: 0 },
  ],
};

export default function () {
  check(http.get(`${BASE_URL}/plain`), { 'is up': (r) => r.status === 200 });
  sleep(0.1);
}
