// Create, read, change, remove: a record's whole life.
import http from 'k6/http';
import { check, group } from 'k6';
import { Api } from './lib/api.js';

const BASE_URL = __ENV.BASE_URL || 'http://127.0.0.1:8080';
export const options = { vus: 1, iterations: 2 };

export default function () {
  const api = Api.login(BASE_URL);
  const params = { headers: api.headers, tags: { name: 'one risk' } };
  const made = api.post('/api/v1/risks', { title: 'Example', impact: 3, probability: 2 });
  check(made, { 'created': (r) => r.status === 201 });
  const url = `${BASE_URL}/api/v1/risks/${made.json('id')}`;
  check(http.get(url, params), { 'read': (r) => r.json('score') === 6 });
  group('change', () => {
    const changed = http.patch(url, JSON.stringify({ status: 'closed' }), params);
    check(changed, { 'changed': (r) => r.json('status') === 'closed' });
  });
  check(http.del(url, null, params), { 'removed': (r) => r.status === 204 });
  const gone = http.get(url, { ...params, responseCallback: http.expectedStatuses(404) });
  check(gone, { 'gone': (r) => r.status === 404 });
}
