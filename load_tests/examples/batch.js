// Requests at the same time, as a browser loads the parts of a page.
import http from 'k6/http';
import { check } from 'k6';

const BASE_URL = __ENV.BASE_URL || 'http://127.0.0.1:8080';
export const options = { vus: 1, iterations: 2, batchPerHost: 4 };

export default function () {
  const answers = http.batch([
    `${BASE_URL}/plain`,
    ['GET', `${BASE_URL}/json`],
    ['GET', `${BASE_URL}/health`, null, { tags: { part: 'health' } }],
    { method: 'GET', url: `${BASE_URL}/api/stats`, params: { headers: { Accept: 'application/json' } } },
  ]);
  check(answers, {
    'four answers': (list) => list.length === 4,
    'in the order of the requests': (list) => list[0].body === 'hello' && list[2].json('status') === 'ok',
  });
}
