export default {
  name: 'chosen',
  environment: 'test',
  resultsDir: './results',
  runs: [
    { name: 'smoke', script: './script.js', scenarios: ['api', 'db'], once: true },
    { name: 'api', script: './script.js', scenarios: ['api'] },
  ],
  collect: { host: false },
  criteria: [
    'smoke.iterations.count == 2',
    'api.iterations.count == 4',
    'api.iterations{scenario:api}.count == 4',
  ],
  archive: false,
};
