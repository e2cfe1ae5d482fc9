// Small answers out of big documents: `json` takes a path.
import http from 'k6/http';
import { check } from 'k6';

const BASE_URL = __ENV.BASE_URL || 'http://127.0.0.1:8080';

export default function () {
  const res = http.get(`${BASE_URL}/json`);
  check(res, {
    'a field': (r) => r.json('total') === 20,
    'one of a list': (r) => r.json('data.0.title') === 'Risk number 1',
    'how many': (r) => r.json('data.#') === 20,
    'a field of each': (r) => r.json('data.#.id').length === 20,
    'the first that fits': (r) => r.json('data.#(impact==5).impact') === 5,
    'nothing': (r) => r.json('data.99.title') === undefined,
  });
}
