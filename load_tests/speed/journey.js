// A step of a journey as people write it: a group, headers and tags, what the answer says of itself, metrics with tags.
import { check, group } from 'k6';
import http from 'k6/http';
import { Counter, Gauge, Rate, Trend } from 'k6/metrics';

const URL = __ENV.URL || 'http://127.0.0.1:8080/json';

const reads = new Counter('reads');
const good = new Rate('good');
const took = new Trend('took', true);
const size = new Gauge('size');

export default function () {
  group('list of risks', () => {
    const res = http.get(URL, {
      headers: { Accept: 'application/json', 'X-Request-Source': 'journey', Authorization: 'Bearer a-token-of-a-user' },
      tags: { name: 'list of risks', step: 'list' },
    });
    const ok = check(res, {
      'status is 200': (r) => r.status === 200,
      'is JSON': (r) => r.headers['Content-Type'].startsWith('application/json'),
      'has risks': (r) => r.json('data').length === 20,
    });
    const tags = { step: 'list', outcome: ok ? 'good' : 'bad' };
    reads.add(1, tags);
    good.add(ok, tags);
    took.add(res.timings.waiting + res.timings.receiving, tags);
    size.add(res.body.length, tags);
  });
}
