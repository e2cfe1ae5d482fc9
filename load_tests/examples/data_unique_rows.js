// Every row exactly once over all VUs: the number of an iteration in its scenario is given out once.
import http from 'k6/http';
import exec from 'k6/execution';
import { check } from 'k6';

const BASE_URL = __ENV.BASE_URL || 'http://127.0.0.1:8080';
const rows = ['alpha', 'beta', 'gamma', 'delta', 'epsilon', 'zeta'];
export const options = {
  scenarios: { rows: { executor: 'shared-iterations', vus: 2, iterations: rows.length } },
};

export default function () {
  const row = rows[exec.scenario.iterationInTest];
  const res = http.get(`${BASE_URL}/api/risks?search=${row}`, { tags: { name: 'search', row } });
  check(res, { 'there is a row and an answer': (r) => row !== undefined && r.status === 200 });
}
