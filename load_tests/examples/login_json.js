// Log in with JSON, then use the token.
import http from 'k6/http';
import { check, fail } from 'k6';

const BASE_URL = __ENV.BASE_URL || 'http://127.0.0.1:8080';
export const options = { vus: 1, iterations: 2 };

export default function () {
  const credentials = JSON.stringify({ email: 'admin@demo.local', password: 'demo-password' });
  const headers = { 'Content-Type': 'application/json' };
  const login = http.post(`${BASE_URL}/api/v1/auth/login`, credentials, { headers });
  if (!check(login, { 'logged in': (r) => r.status === 200 })) fail(`no login: ${login.status}`);

  const auth = { headers: { Authorization: `Bearer ${login.json('token')}` } };
  check(http.get(`${BASE_URL}/api/v1/stats`, auth), { 'stats are shown': (r) => r.status === 200 });
}
