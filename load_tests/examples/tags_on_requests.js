// Tags split a metric: one threshold for pages, another for the API.
import http from 'k6/http';
import { check } from 'k6';

const BASE_URL = __ENV.BASE_URL || 'http://127.0.0.1:8080';
export const options = {
  vus: 1,
  iterations: 3,
  thresholds: {
    'http_req_duration{kind:page}': ['p(95)<2000'],
    'http_req_duration{kind:api}': ['p(95)<3000'],
    'http_reqs{kind:api}': ['count==3'],
  },
};

export default function () {
  const page = http.get(`${BASE_URL}/plain`, { tags: { kind: 'page' } });
  const api = http.get(`${BASE_URL}/api/stats`, { tags: { kind: 'api' } });
  check(page, { 'page': (r) => r.status === 200 }, { kind: 'page' });
  check(api, { 'api': (r) => r.status === 200 }, { kind: 'api' });
}
