// The four kinds of metrics of one's own.
import http from 'k6/http';
import { check } from 'k6';
import { Counter, Gauge, Rate, Trend } from 'k6/metrics';

const BASE_URL = __ENV.BASE_URL || 'http://127.0.0.1:8080';
const bytes = new Counter('body_bytes');
const size = new Gauge('last_size');
const small = new Rate('small_answers');
const waiting = new Trend('waiting_time', true);

export const options = {
  vus: 1,
  iterations: 4,
  thresholds: {
    body_bytes: ['count>0'],
    last_size: ['value>0'],
    small_answers: ['rate==0.5'],
    waiting_time: ['p(95)<2000'],
  },
};

export default function () {
  const res = http.get(BASE_URL + (__ITER % 2 ? '/plain' : '/json'));
  bytes.add(res.body.length);
  size.add(res.body.length);
  small.add(res.body.length < 100);
  waiting.add(res.timings.waiting, { path: __ITER % 2 ? 'plain' : 'json' });
  check(res, { 'is up': (r) => r.status === 200 });
}
