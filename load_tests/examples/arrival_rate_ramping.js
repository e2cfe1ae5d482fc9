// Where does it bend? Arrivals that grow until the system no longer keeps up.
import http from 'k6/http';
import { check } from 'k6';

const BASE_URL = __ENV.BASE_URL || 'http://127.0.0.1:8080';
export const options = {
  scenarios: {
    growing: {
      executor: 'ramping-arrival-rate',
      startRate: 5,
      timeUnit: '1s',
      preAllocatedVUs: 10,
      maxVUs: 50,
      stages: [{ duration: '1s', target: 40 }, { duration: '500ms', target: 0 }],
    },
  },
};

export default function () {
  check(http.get(`${BASE_URL}/json`), { 'is answered': (r) => r.status === 200 });
}
