// Steps of a journey: groups name what belongs together, and measure how long it took.
import http from 'k6/http';
import { check, group } from 'k6';

const BASE_URL = __ENV.BASE_URL || 'http://127.0.0.1:8080';
export const options = {
  vus: 1,
  iterations: 2,
  thresholds: { 'group_duration{group:::browse}': ['avg<5000'], 'checks{group:::browse::details}': ['rate==1'] },
};

export default function () {
  group('browse', () => {
    const list = http.get(`${BASE_URL}/api/risks?limit=1`);
    check(list, { 'list': (r) => r.status === 200 });
    group('details', () => {
      const risk = http.get(`${BASE_URL}/api/risks/${list.json('data.0.id')}`, { tags: { name: 'risk' } });
      check(risk, { 'risk': (r) => r.status === 200 });
    });
  });
}
