// Do writes work under load? Each user creates a record, reads it, changes it, creates more at once, and cleans up.
//
//   volley run load_tests/crud.js --vus=10 --duration=1m

import { check, fail, group, sleep } from 'k6';
import http from 'k6/http';
import { Counter, Trend } from 'k6/metrics';

const BASE_URL = __ENV.BASE_URL || 'http://127.0.0.1:8080';
const ADMIN_EMAIL = __ENV.ADMIN_EMAIL || 'admin@demo.local';
const ADMIN_PASSWORD = __ENV.ADMIN_PASSWORD || 'demo-password';
const BULK = 10;

const recordsCreated = new Counter('records_created');
const writeDuration = new Trend('write_duration', true);

export const options = {
  vus: 5,
  duration: '30s',
  thresholds: {
    http_req_failed: ['rate<0.01'],
    checks: ['rate>0.99'],
    write_duration: ['p(95)<800'],
    'http_req_duration{kind:write}': ['p(95)<800'],
  },
};

export function setup() {
  // A form this time; the target takes JSON as well.
  const login = http.post(`${BASE_URL}/api/v1/auth/login`, { email: ADMIN_EMAIL, password: ADMIN_PASSWORD });
  if (login.status !== 200) {
    fail(`login as ${ADMIN_EMAIL} at ${BASE_URL} failed with status ${login.status} ${login.error}`);
  }
  return { token: login.json('token') };
}

export default function ({ token }) {
  const params = (name, kind) => ({
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
    tags: { name, kind },
  });
  const draft = (title) => ({
    title,
    description: 'written by crud.js',
    impact: 1 + (__ITER % 5),
    probability: 1 + (__VU % 5),
    tags: ['load-test'],
  });
  const written = (res) => {
    writeDuration.add(res.timings.duration);
    return res;
  };
  const risks = `${BASE_URL}/api/v1/risks`;
  const created = [];

  group('create', () => {
    const body = JSON.stringify(draft(`Load test ${__VU}-${__ITER}`));
    const res = written(http.post(risks, body, params('create', 'write')));
    if (check(res, { 'created': (r) => r.status === 201, 'has an id': (r) => Boolean(r.json('id')) })) {
      created.push(res.json('id'));
      recordsCreated.add(1);
    }
  });
  if (created.length === 0) {
    return;
  }

  const one = `${risks}/${created[0]}`;
  group('read', () => {
    const res = http.get(one, params('read', 'read'));
    check(res, { 'read back': (r) => r.status === 200 && r.json('id') === created[0] });
  });

  group('patch', () => {
    const res = written(http.patch(one, JSON.stringify({ status: 'mitigated' }), params('patch', 'write')));
    check(res, { 'patched': (r) => r.status === 200 && r.json('status') === 'mitigated' });
    const again = http.get(one, params('read', 'read'));
    check(again, { 'the cache does not keep the old one': (r) => r.json('status') === 'mitigated' });
  });

  group('bulk', () => {
    const list = Array.from({ length: BULK }, (_, place) => draft(`Load test ${__VU}-${__ITER}-${place}`));
    const res = written(http.post(`${risks}/bulk`, JSON.stringify({ risks: list }), params('bulk', 'write')));
    if (check(res, { 'bulk created': (r) => r.status === 201 && r.json('ids').length === BULK })) {
      created.push(...res.json('ids'));
      recordsCreated.add(BULK);
    }
  });

  group('delete', () => {
    for (const id of created) {
      const res = written(http.del(`${risks}/${id}`, null, params('delete', 'write')));
      check(res, { 'deleted': (r) => r.status === 204 });
    }
  });
  sleep(0.2);
}
