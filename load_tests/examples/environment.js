// Settings from outside: `-e NAME=value`, or variables of the shell. All of them are text.
import http from 'k6/http';
import { check } from 'k6';

const BASE_URL = __ENV.BASE_URL || 'http://127.0.0.1:8080';
const LIMIT = Number(__ENV.LIMIT || 5);
export const options = { vus: Number(__ENV.USERS || 1), iterations: Number(__ENV.ROUNDS || 2) };

export default function () {
  const res = http.get(`${BASE_URL}/api/risks?limit=${LIMIT}`);
  check(res, { 'as many as asked for': (r) => r.json('data.#') === LIMIT });
}
