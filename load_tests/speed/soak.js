// What scripts do, over and over: soak.py watches the memory meanwhile. The first VU says when each tenth is done.
import { check, group } from 'k6';
import exec from 'k6/execution';
import http from 'k6/http';
import { Counter, Trend } from 'k6/metrics';

const { URL, JSON_URL } = __ENV;
const VUS = Number(__ENV.VUS || 20);
// Two requests an iteration.
const EACH = Number(__ENV.REQUESTS || 10000000) / VUS / 2;

export const options = {
  scenarios: { soak: { executor: 'per-vu-iterations', vus: VUS, iterations: EACH, maxDuration: '24h' } },
};

const seen = new Counter('seen');
const lengths = new Trend('lengths');

export default function () {
  group('plain', () => {
    const res = http.get(URL, { headers: { 'X-Iteration': String(__ITER) }, tags: { kind: `k${__ITER % 10}` } });
    check(res, { 'status is 200': (r) => r.status === 200, 'it has a type': (r) => r.headers['Content-Type'] !== undefined });
    lengths.add(res.body.length);
  });
  const list = http.get(JSON_URL, { cookies: { visit: String(__ITER % 100) } }).json('data');
  check(list, { 'there are 20': (l) => l.length === 20 });
  seen.add(1, { status: list[__ITER % 20].status });
  if (exec.vu.idInTest === 1 && (__ITER + 1) % (EACH / 10) === 0) {
    console.log(`soak-mark ${((__ITER + 1) * 10) / EACH}`);
  }
}
