// Does the cache help, and does it hold? Six kinds of reads of the risk register, by a growing and shrinking crowd.
//
//   volley target &                             something to run against
//   volley run load_tests/cache_test.js         three minutes, 20 users at most
//   volley run load_tests/cache_test.js --vus=25 --duration=10m --tag scenario=baseline
//
// BASE_URL, ADMIN_EMAIL and ADMIN_PASSWORD say where and as whom; the defaults fit `volley target`.
// MIN_CACHE_HITS=0.75 also fails the run when the cache answers less than that part of the reads.

import { check, fail, group, sleep } from 'k6';
import http from 'k6/http';
import { Counter, Rate, Trend } from 'k6/metrics';

const BASE_URL = __ENV.BASE_URL || 'http://127.0.0.1:8080';
const ADMIN_EMAIL = __ENV.ADMIN_EMAIL || 'admin@demo.local';
const ADMIN_PASSWORD = __ENV.ADMIN_PASSWORD || 'demo-password';

const errors = new Rate('errors');
const success = new Rate('success');
const cacheHitRatio = new Rate('cache_hit_ratio');
const requestDuration = new Trend('request_duration', true);
const httpRequests = new Counter('http_requests');

const SEARCHES = ['certificate', 'supplier', 'phishing', 'backup', 'privacy'];

const thresholds = {
  http_req_failed: ['rate<0.01'],
  http_req_duration: ['p(95)<500', 'p(99)<1000'],
  'http_req_duration{name:list}': ['p(95)<500'],
  'http_req_duration{scenario:default}': ['avg<300'],
  checks: ['rate>0.99'],
  success: ['rate>0.99'],
  // How many reads went wrong in all. Counting on a Rate is volley's; for k6 itself write `rate<0.01`.
  errors: ['rate<0.01'],
};
if (__ENV.MIN_CACHE_HITS) {
  thresholds.cache_hit_ratio = [`rate>=${Number(__ENV.MIN_CACHE_HITS)}`];
}

export const options = {
  stages: [
    { duration: '30s', target: 10 },
    { duration: '1m', target: 20 },
    { duration: '1m', target: 20 },
    { duration: '30s', target: 0 },
  ],
  thresholds,
};

// Logs in once for everybody, and looks up which records there are.
export function setup() {
  const credentials = JSON.stringify({ email: ADMIN_EMAIL, password: ADMIN_PASSWORD });
  const login = http.post(`${BASE_URL}/api/v1/auth/login`, credentials, {
    headers: { 'Content-Type': 'application/json' },
    tags: { name: 'login' },
  });
  if (login.status !== 200) {
    fail(`login as ${ADMIN_EMAIL} at ${BASE_URL} failed with status ${login.status} ${login.error}`);
  }
  const token = login.json('token');
  const list = http.get(`${BASE_URL}/api/v1/risks?limit=50`, {
    headers: { Authorization: `Bearer ${token}` },
    tags: { name: 'setup list' },
  });
  if (list.status !== 200) {
    fail(`the list of risks failed with status ${list.status} ${list.error}`);
  }
  return { token, ids: list.json('data').map((risk) => risk.id) };
}

export default function (session) {
  group('list', () => {
    read(session, 'list', '/api/v1/risks?page=1&limit=20', {
      'list has data': (res) => Array.isArray(res.json('data')),
    });
  });
  group('stats', () => {
    read(session, 'stats', '/api/v1/stats', {
      'stats have a total': (res) => res.json('total') >= 0,
    });
  });
  group('matrix', () => {
    read(session, 'matrix', '/api/v1/stats/risk-matrix', {
      'matrix has 25 cells': (res) => res.json('data').length === 25,
    });
  });
  group('search', () => {
    const word = SEARCHES[__ITER % SEARCHES.length];
    read(session, 'search', `/api/v1/risks?search=${word}&limit=10`, {
      'search has data': (res) => Array.isArray(res.json('data')),
    });
  });
  group('trends', () => {
    read(session, 'trends', '/api/v1/stats/trends', {
      'trends have data': (res) => Array.isArray(res.json('data')),
    });
  });
  group('by id', () => {
    const id = session.ids[(__VU * 7 + __ITER) % session.ids.length];
    read(session, 'by id', `/api/v1/risks/${id}`, {
      'record is the one asked for': (res) => res.json('id') === id,
    });
  });
  sleep(0.3 + Math.random() * 0.4);
}

// One read: asked for under its name, checked, and counted.
function read(session, name, path, checks) {
  const res = http.get(BASE_URL + path, {
    headers: { Authorization: `Bearer ${session.token}` },
    tags: { name },
  });
  httpRequests.add(1, { name });
  requestDuration.add(res.timings.duration, { name });
  let ok = check(res, { 'status is 200': (r) => r.status === 200 }, { name });
  if (ok) {
    ok = check(res, checks, { name });
    cacheHitRatio.add(res.headers['X-Cache'] === 'HIT', { name });
  }
  errors.add(!ok, { name });
  success.add(ok, { name });
}

export function handleSummary(data) {
  return { stdout: report(data) };
}

function report(data) {
  const values = (name) => (data.metrics[name] ? data.metrics[name].values : undefined);
  const percent = (name) => (values(name) ? `${(values(name).rate * 100).toFixed(2)} %` : '-');
  const count = (name) => (values(name) ? String(values(name).count) : '-');
  const millis = (name, key) => (values(name) ? `${values(name)[key].toFixed(2)} ms` : '-');
  const row = (label, text) => `  ${label.padEnd(24)}${text}`;

  const lines = [
    '',
    'Cache test',
    row('took', `${(data.state.testRunDurationMs / 1000).toFixed(1)} s`),
    row('reads', count('http_requests')),
    row('requests per second', values('http_reqs') ? values('http_reqs').rate.toFixed(1) : '-'),
    row('answered by the cache', percent('cache_hit_ratio')),
    row('succeeded', percent('success')),
    row('failed', percent('errors')),
    row('duration, median', millis('request_duration', 'med')),
    row('duration, p95', millis('request_duration', 'p(95)')),
    row('duration, longest', millis('request_duration', 'max')),
    row('checks passed', percent('checks')),
    '',
    'Thresholds',
  ];
  for (const name of Object.keys(data.metrics)) {
    const judged = data.metrics[name].thresholds || {};
    for (const expression of Object.keys(judged)) {
      lines.push(`  ${judged[expression].ok ? 'ok     ' : 'crossed'} ${name}: ${expression}`);
    }
  }
  return `${lines.join('\n')}\n\n`;
}
