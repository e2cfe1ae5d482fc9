// One login for all: what setup returns, every VU gets as its own copy.
import http from 'k6/http';
import { check } from 'k6';

const BASE_URL = __ENV.BASE_URL || 'http://127.0.0.1:8080';
export const options = { vus: 3, iterations: 6 };

export function setup() {
  const login = http.post(`${BASE_URL}/api/v1/auth/login`, { email: 'admin@demo.local', password: 'demo-password' });
  return { token: login.json('token'), from: new Date(0) };
}

export default function (data) {
  const res = http.get(`${BASE_URL}/api/v1/risks`, { headers: { Authorization: `Bearer ${data.token}` } });
  check(res, { 'is let in': (r) => r.status === 200 });
  check(data, { 'dates arrive as text': (d) => d.from === '1970-01-01T00:00:00Z' });
}
