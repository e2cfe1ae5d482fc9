// A crowd at once, and gone: does the target recover?
import http from 'k6/http';
import exec from 'k6/execution';
import { check, sleep } from 'k6';

const BASE_URL = __ENV.BASE_URL || 'http://127.0.0.1:8080';
export const options = {
  scenarios: {
    spike: {
      executor: 'ramping-vus',
      stages: [
        { duration: '300ms', target: 1 },
        { duration: '1ms', target: 15 },
        { duration: '400ms', target: 15 },
        { duration: '1ms', target: 1 },
        { duration: '300ms', target: 1 },
      ],
      gracefulRampDown: '2s',
    },
  },
};

export default function () {
  const phase = exec.instance.vusActive > 5 ? 'crowd' : 'calm';
  check(http.get(`${BASE_URL}/plain`, { tags: { phase } }), { 'holds': (r) => r.status === 200 });
  sleep(0.05);
}
