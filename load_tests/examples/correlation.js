// What one answer says, the next request needs: pick an id from a list, then look at it.
import http from 'k6/http';
import { check } from 'k6';

const BASE_URL = __ENV.BASE_URL || 'http://127.0.0.1:8080';
export const options = { vus: 2, iterations: 4 };

export default function () {
  const list = http.get(`${BASE_URL}/api/risks?limit=10`, { tags: { name: 'list' } });
  const ids = list.json('data.#.id');
  check(ids, { 'there are ids': (found) => found.length === 10 });

  const id = ids[Math.floor(Math.random() * ids.length)];
  const risk = http.get(`${BASE_URL}/api/risks/${id}`, { tags: { name: 'risk' } });
  check(risk, {
    'is that risk': (r) => r.json('id') === id,
    'its score fits': (r) => r.json('score') === r.json('impact') * r.json('probability'),
  });
}
