// `sleep` takes seconds, as a number or text that is one, and lets time pass.
// console: true true
import { sleep } from 'k6';

export default function () {
  const begun = Date.now();
  sleep(0.2);
  const first = Date.now() - begun;
  sleep('0.1');
  console.log(first >= 200, Date.now() - begun >= 300);
}
