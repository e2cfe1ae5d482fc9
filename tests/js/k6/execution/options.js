// The options as they were understood, frozen.
// args: --vus 2 --duration 1s --tag a=b
// console: {"default":{"executor":"constant-vus","startTime":null,"gracefulStop":null,"env":null,"exec":null,"tags":null,"vus":2,"duration":"1s"}}
// console: {"a":"b"} true
import { sleep } from 'k6';
import exec from 'k6/execution';

export function setup() {
  console.log(JSON.stringify(exec.test.options.scenarios));
  console.log(JSON.stringify(exec.test.options.tags), Object.isFrozen(exec.test.options));
}
export default function () {
  sleep(0.5);
}
