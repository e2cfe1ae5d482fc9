import exec from 'k6/execution';
import { sleep } from 'k6';

export function setup() {
  console.log(JSON.stringify(exec.test.options.scenarios.default));
}
export default function () {
  sleep(0.05);
}
