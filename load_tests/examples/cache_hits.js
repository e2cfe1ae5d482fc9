// How often did the cache help? A rate over a response header.
import http from 'k6/http';
import { check } from 'k6';
import { Rate } from 'k6/metrics';

const BASE_URL = __ENV.BASE_URL || 'http://127.0.0.1:8080';
const hits = new Rate('cache_hits');
export const options = { vus: 1, iterations: 10 };

export default function () {
  const res = http.get(`${BASE_URL}/api/risks?limit=7&page=2`, { tags: { name: 'list' } });
  hits.add(res.headers['X-Cache'] === 'HIT');
  check(res, { 'the cache says what it did': (r) => ['HIT', 'MISS'].includes(r.headers['X-Cache']) });
}
