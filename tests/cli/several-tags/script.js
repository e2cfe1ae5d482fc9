import exec from 'k6/execution';

export const options = { thresholds: { 'iterations{env:test}': ['count==1'] } };
export default function () {
  console.log(JSON.stringify(exec.test.options.tags));
}
