import exec from 'k6/execution';

export const options = {
  scenarios: {
    api: { executor: 'per-vu-iterations', iterations: 2, exec: 'api', env: { WHO: 'a' }, tags: { kind: 'x' } },
    db: { executor: 'shared-iterations', iterations: 3, exec: 'db', startTime: '200ms' },
    ui: { executor: 'constant-vus', duration: '1h', exec: 'ui' },
  },
  vus: 3,
};

const names = () => Object.keys(exec.test.options.scenarios).join('+');

export function setup() {
  console.log(`set up for ${names()}`);
}

export function api() {
  console.log(`api ${__ENV.WHO} ${exec.vu.metrics.tags.kind} of ${names()}`);
}

export function db() {
  const { scenarios } = exec.test.options;
  console.log(`db from ${scenarios.db.startTime} of ${names()} with ${exec.vu.metrics.tags.scenario}`);
}

export function ui() {
  throw new Error('ui was not selected');
}

export function teardown() {
  console.log(`torn down after ${names()}`);
}
