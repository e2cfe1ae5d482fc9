import exec from 'k6/execution';

export const options = {
  scenarios: {
    late: {
      executor: 'ramping-arrival-rate',
      startTime: '1h',
      gracefulStop: '0s',
      preAllocatedVUs: 50,
      stages: [{ duration: '1h', target: 100 }],
      exec: 'late',
      env: { WHO: 'me' },
      tags: { kind: 'x' },
    },
  },
  once: true,
};

export function setup() {
  return 'data';
}

export function late(data) {
  const { late: shown } = exec.test.options.scenarios;
  const { executor, vus, iterations } = shown;
  const nothing = [shown.startTime, shown.gracefulStop, shown.maxDuration].every((value) => value === null);
  const { exec: name, env, tags } = shown;
  console.log(`${data} ${__ENV.WHO} ${exec.vu.metrics.tags.kind} ${exec.scenario.executor} ${exec.scenario.name}`);
  console.log(JSON.stringify({ executor, vus, iterations, name, env, tags, nothing, shown: 'stages' in shown }));
}

export function teardown(data) {
  console.log(`torn down with ${data}`);
}
