// What most scripts do: a GET, its JSON read, three checks, three metrics of one's own. THINK is a pause in seconds, each
// time half as long to half as long again: VUs that pause equally long come to run in step, and their requests queue at the target.
import { check, sleep } from 'k6';
import http from 'k6/http';
import { Counter, Rate, Trend } from 'k6/metrics';

const URL = __ENV.URL || 'http://127.0.0.1:8080/json';
const THINK = Number(__ENV.THINK || 0);

const reads = new Counter('reads');
const good = new Rate('good');
const took = new Trend('took', true);

export default function () {
  const res = http.get(URL);
  const data = res.json('data');
  const ok = check(res, {
    'status is 200': (r) => r.status === 200,
    'data is a list': () => Array.isArray(data),
    'data has a title': () => data[0].title.length > 0,
  });
  reads.add(1);
  good.add(ok);
  took.add(res.timings.duration);
  if (THINK > 0) {
    sleep(THINK * (0.5 + Math.random()));
  }
}
