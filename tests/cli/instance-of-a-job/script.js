import exec from 'k6/execution';

export const options = {
  scenarios: { shared: { executor: 'shared-iterations', vus: 4, iterations: 8 } },
  tags: { team: 'blue' },
};

export default function () {
  console.log(`in the whole ${exec.scenario.iterationInTest}, tagged ${exec.test.options.tags.instance}`);
}
