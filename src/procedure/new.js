// A load-testing procedure. `volley procedure run procedure.js` checks, runs, collects, judges and reports.
//
//   volley procedure check procedure.js                  only the checks before any load
//   volley procedure run procedure.js --dry-run          the plan with its total time
//   volley procedure run procedure.js --scale 0.02       a rehearsal: all durations times 0.02
//   volley procedure run procedure.js --resume DIR       go on after an interruption
//
// It is a module of JavaScript: __ENV, imports and comments work. A key whose value is undefined is not there.

const BASE_URL = __ENV.BASE_URL || 'http://127.0.0.1:8080';

export default {
  name: 'my procedure',
  // A part of file names: letters, digits, - and _. Also a tag of every sample.
  environment: __ENV.ENVIRONMENT || 'local',
  // BASE_URL of every run; addresses below may be paths.
  baseUrl: BASE_URL,
  // Default: ./load_test_results/<YYYYmmdd_HHMMSS>
  // resultsDir: './load_test_results/mine',
  // The tag `phase` of every sample.
  // phase: 'release_7',

  // Before any load, all at once. A failed check that is required ends the procedure with exit code 1.
  preflight: {
    host: {
      memory: { minimum: '500MB', recommended: '4GB' },
      cores: { minimum: 1, recommended: 4 },
      disk: { minimum: '500MB', recommended: '5GB' },
    },
    http: [
      { name: 'health', url: '/health', status: 200, json: 'status == "ok"' },
      // { name: 'records', url: '/api/records', notEmpty: 'data', header: 'X-Cache', required: false },
    ],
    // redis: { url: 'redis://127.0.0.1:6379' },
    // postgres: { url: __ENV.DATABASE_URL, required: false },
    // prometheus: { url: 'http://127.0.0.1:9090', required: false },
    // Evaluate every script and its thresholds.
    scripts: true,
  },

  // Records to make first. {i} is the record's number, {1..5} a number from 1 to 5. Instead of `request.body` a function
  // may make bodies: record: (i) => ({ title: `Test ${i}` }). What was made is kept in the results, so that it is removed
  // even when the procedure was killed and goes on with --resume.
  // data: {
  //   count: 100,
  //   rate: 50,
  //   login: { url: '/api/login', body: { user: 'me', password: __ENV.PASSWORD } },
  //   request: { url: '/api/records', headers: { Authorization: 'Bearer {login.token}' }, body: { title: 'Test {i}', impact: '{1..5}' } },
  //   verify: { url: '/api/records/{created.id}' },
  //   cleanUp: { url: '/api/records/{created.id}', headers: { Authorization: 'Bearer {login.token}' } },
  // },

  // k6 scripts, relative to this file. One of duration, iterations and stages shapes a run; without, the script does.
  runs: [
    { name: 'baseline', script: './script.js', vus: 5, duration: '5m', coolDown: '30s' },
    {
      name: 'stress',
      script: './script.js',
      stages: [
        { duration: '2m', target: 5 },
        { duration: '7m', target: 25 },
        { duration: '1m', target: 0 },
      ],
      coolDown: '30s',
      // env: { MIN_CACHE_HITS: 0.75 },
      // tags: { team: 'mine' },
    },
    { name: 'spike', script: './script.js', vus: 100, duration: '5m' },
  ],

  // Sampled beside every run. A collector that fails says so and disturbs nothing.
  collect: {
    every: '5s',
    host: true,
    // monitor logs what Redis is asked: redis: { url: 'redis://127.0.0.1:6379', monitor: { lines: 10000, bytes: '2MB' } },
    // redis: { url: 'redis://127.0.0.1:6379' },
    // postgres: { url: __ENV.DATABASE_URL },
    // prometheus: { url: 'http://127.0.0.1:9090', queries: { requests: 'sum(rate(http_requests_total[1m]))' } },
  },

  // What has to hold: one comparison of figures RUN.METRIC.STAT and numbers. Metrics are built in, or a script declares them;
  // a sub-metric such as http_req_duration{name:list} needs a threshold in its script; series come from `collect`.
  criteria: [
    'stress.http_req_duration.p95 < 100',
    'stress.http_req_failed.rate < 1%',
    { name: 'holds under stress', expression: 'stress.http_req_duration.p95 <= baseline.http_req_duration.p95 * 1.5' },
    { name: 'survives a spike', expression: 'spike.http_req_failed.rate < 5%' },
  ],

  // true: beside the results; { dir: './archives' } elsewhere. An upload takes credentials from AWS_ACCESS_KEY_ID and
  // AWS_SECRET_ACCESS_KEY or from a file, and goes on with `volley procedure upload FILE` or --resume if it was cut off.
  // archive: { upload: { url: 's3://bucket/folder', endpoint: 'https://s3.example.org', region: 'eu-central-1' } },
  archive: false,

  // Every sample of every run, packed: RUN.json.gz, at most so much for all runs together; beyond, samples are thinned, never the
  // figures. false: none.
  samples: { limit: '2GB' },

  // More failed requests than `failed` and fewer samples than `samples` behind a latency or a share block an approval. A
  // p95 above `slow`, fewer cache hits than `cacheHits` in a run whose median is not smaller than the baseline's by `gain`,
  // and memory that grew by more than `growth` throughout a run are findings.
  limits: { failed: '5%', samples: 30, slow: '200ms', cacheHits: '50%', gain: '10%', growth: '20%' },

  // The metrics and series that findings and reports look at beside the criteria; `*` stands for any text.
  metrics: {
    failed: ['http_req_failed', 'errors'],
    cacheHits: ['*cache_hit*', 'redis_hit_ratio'],
    memory: ['redis_memory', 'host_memory_used'],
    databaseConnections: 'db_connections',
    cacheMemory: 'redis_memory',
  },

  // exit, errors, thresholds, generator and samples are blocking, the rest are warnings, resources and thinned notes. The report says
  // where this changes that.
  // findings: { generator: 'warning' },

  // Other words for the hints of findings: preflight, resources, data, exit, errors, refused, checks, thresholds, generator,
  // samples, dropped, slow, cache, memory, collector, thinned.
  hints: {
    // slow: 'ask the database team',
  },
};
