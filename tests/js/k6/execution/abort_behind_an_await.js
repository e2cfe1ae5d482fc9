// What ends behind an await is no complete iteration, except that which ends the run; no `finally` sees it.
// args: --vus 2 --iterations 2 --summary-mode compact
// exit: 108
// console: 1
import exec from 'k6/execution';
import { sleep } from 'k6';

export default async function () {
  await null;
  try {
    if (exec.vu.idInTest === 2) sleep(20);
    sleep(0.3);
    exec.test.abort('enough');
  } finally {
    console.log('finally');
  }
}
export function handleSummary(data) {
  console.log(data.metrics.iterations.values.count);
  return {};
}
