// A variable that is not set says nothing; among tags it is an empty text, as in k6.
// console: 2 {"build":""}
import exec from 'k6/execution';

export const options = {
  vus: undefined,
  iterations: 2,
  tags: { build: __ENV.NOT_SET },
  thresholds: { iterations: [{ threshold: 'count==2', abortOnFail: undefined, delayAbortEval: undefined }], checks: undefined },
  hosts: { 'a.test': undefined },
};
export default function () {
  if (__ITER === 1) console.log(exec.test.options.scenarios.default.iterations, JSON.stringify(exec.test.options.tags));
}
