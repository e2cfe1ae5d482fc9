// Test data from a CSV file, without a library: simple files need none.
import http from 'k6/http';
import { check } from 'k6';

const BASE_URL = __ENV.BASE_URL || 'http://127.0.0.1:8080';
const [names, ...rows] = open('./data/users.csv').trim().split('\n').map((line) => line.split(','));
const users = rows.map((row) => Object.fromEntries(row.map((value, at) => [names[at], value])));
export const options = { vus: 1, iterations: users.length };

export default function () {
  const { email, password, works } = users[__ITER % users.length];
  const params = { responseCallback: http.expectedStatuses(200, 401) };
  const res = http.post(`${BASE_URL}/api/v1/auth/login`, { email, password }, params);
  check(res, { 'as the file says': (r) => (r.status === 200) === (works === 'yes') });
}
