// Test data from a JSON file. It is read once, while the script starts; later `open` is refused.
import http from 'k6/http';
import { check } from 'k6';

const BASE_URL = __ENV.BASE_URL || 'http://127.0.0.1:8080';
const searches = JSON.parse(open('./data/searches.json'));
export const options = { vus: 1, iterations: searches.length };

export default function () {
  const { text, least } = searches[__ITER % searches.length];
  const res = http.get(`${BASE_URL}/api/risks?search=${encodeURIComponent(text)}`, { tags: { name: 'search' } });
  check(res, { 'found enough': (r) => r.status === 200 && r.json('total') >= least });
}
