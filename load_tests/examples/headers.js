// Headers for every request, and an id that finds a request in the server's log.
import http from 'k6/http';
import exec from 'k6/execution';
import { check } from 'k6';

const BASE_URL = __ENV.BASE_URL || 'http://127.0.0.1:8080';
export const options = { vus: 2, iterations: 4, userAgent: 'examples/1.0' };

const withHeaders = (headers) => ({
  headers: {
    Accept: 'application/json',
    'X-Request-Id': `vu-${exec.vu.idInTest}-${exec.vu.iterationInInstance}`,
    ...headers,
  },
});

export default function () {
  const res = http.get(`${BASE_URL}/json`, withHeaders({ 'Accept-Language': 'cs' }));
  check(res, {
    'sent what we said': (r) => r.request.headers['Accept-Language'][0] === 'cs',
    'with an id': (r) => r.request.headers['X-Request-Id'][0].startsWith('vu-'),
    'and who we are': (r) => r.request.headers['User-Agent'][0] === 'examples/1.0',
  });
}
