// Does the cache hold, and does it help? Baseline, stress and spike of cache_test.js, judged.
//
//   volley target &
//   volley procedure run load_tests/procedures/cache_integration.js --scale 0.02
//
// BASE_URL says what is tested. REDIS_URL, DATABASE_URL and PROMETHEUS_URL bring checks, series and criteria of these
// services with them; without one, the procedure does without. RISKS makes so many records first; REDIS_MONITOR=yes logs
// what Redis is asked; UPLOAD_URL=s3://bucket/folder (and UPLOAD_ENDPOINT) copies the archive there.

const { REDIS_URL, DATABASE_URL, PROMETHEUS_URL } = __ENV;
const BASE_URL = __ENV.BASE_URL || 'http://127.0.0.1:8080';
const credentials = {
  email: __ENV.ADMIN_EMAIL || 'admin@demo.local',
  password: __ENV.ADMIN_PASSWORD || 'demo-password',
};
const script = '../cache_test.js';

/** @type {import('../../js-stdlib/volley/procedure').Procedure} */
export default {
  name: 'cache integration',
  environment: __ENV.ENVIRONMENT || 'staging',
  baseUrl: BASE_URL,
  resultsDir: __ENV.RESULTS_DIR,
  phase: 'cache_integration',

  preflight: {
    host: {
      memory: { minimum: '500MB', recommended: '2GB' },
      cores: { minimum: 1, recommended: 2 },
      disk: { minimum: '500MB', recommended: '2GB' },
    },
    http: [{ name: 'application health', url: '/health', json: 'status == "ok"' }],
    redis: REDIS_URL && { url: REDIS_URL },
    postgres: DATABASE_URL && { url: DATABASE_URL },
    prometheus: PROMETHEUS_URL && { url: PROMETHEUS_URL },
  },

  data: __ENV.RISKS && {
    count: Number(__ENV.RISKS),
    rate: 100,
    login: { url: '/api/v1/auth/login', body: credentials },
    request: {
      url: '/api/v1/risks',
      headers: { Authorization: 'Bearer {login.token}' },
      body: {
        title: 'Load test risk {i}',
        description: 'made by the cache integration procedure',
        impact: '{1..5}',
        probability: '{1..5}',
        tags: ['load-test'],
      },
    },
    verify: {
      url: '/api/v1/risks/{created.id}',
      headers: { Authorization: 'Bearer {login.token}' },
    },
    cleanUp: {
      method: 'DELETE',
      url: '/api/v1/risks/{created.id}',
      headers: { Authorization: 'Bearer {login.token}' },
    },
  },

  runs: [
    { name: 'baseline', script, vus: 5, duration: '5m', coolDown: '30s' },
    {
      name: 'stress',
      script,
      stages: [
        { duration: '2m', target: 5 },
        { duration: '7m', target: 25 },
        { duration: '1m', target: 0 },
      ],
      coolDown: '30s',
    },
    { name: 'spike', script, vus: 100, duration: '5m' },
  ],

  collect: {
    every: __ENV.COLLECT_EVERY || '5s',
    redis: REDIS_URL && { url: REDIS_URL, monitor: __ENV.REDIS_MONITOR === 'yes' },
    postgres: DATABASE_URL && { url: DATABASE_URL },
    prometheus: PROMETHEUS_URL && {
      url: PROMETHEUS_URL,
      queries: {
        scrapes_up: 'up',
        target_requests: 'sum(rate(http_request_duration_seconds_count[30s]))',
      },
    },
  },

  criteria: [
    { name: 'fast under stress', expression: 'stress.http_req_duration.p95 < 100' },
    { name: 'the cache answers', expression: 'stress.cache_hit_ratio.rate > 75%' },
    { name: 'enough requests', expression: `stress.http_reqs.rate > ${Number(__ENV.MIN_RATE || 50)}` },
    { name: 'few errors under stress', expression: 'stress.errors.rate < 1%' },
    { name: 'few errors in a spike', expression: 'spike.errors.rate < 5%' },
    { name: 'no slower than alone', expression: 'stress.http_req_duration.p95 <= baseline.http_req_duration.p95 * 1.5 + 5' },
    ...(DATABASE_URL ? [{ name: 'few database connections', expression: 'spike.db_connections.max < 25' }] : []),
  ],

  archive: __ENV.UPLOAD_URL ? { upload: { url: __ENV.UPLOAD_URL, endpoint: __ENV.UPLOAD_ENDPOINT } } : true,

  hints: {
    cache: 'see whether Redis is running (redis-cli INFO) and whether the application was started with its address',
  },
};
