// So many arrivals per second, however slow the answers: an open model.
import http from 'k6/http';
import { check } from 'k6';

const BASE_URL = __ENV.BASE_URL || 'http://127.0.0.1:8080';
export const options = {
  scenarios: {
    arrivals: {
      executor: 'constant-arrival-rate', rate: 20, timeUnit: '1s', duration: '1s', preAllocatedVUs: 5, maxVUs: 20,
    },
  },
};

export default function () {
  check(http.get(`${BASE_URL}/plain`), { 'is answered': (r) => r.status === 200 });
}
