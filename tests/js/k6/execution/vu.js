// Who runs, and which time.
// args: --vus 1 --iterations 2
// console: vu 1 1 iteration 0 0
// console: vu 1 1 iteration 1 1
// console: default shared-iterations
import exec from 'k6/execution';

export default function () {
  const { idInInstance, idInTest, iterationInInstance, iterationInScenario } = exec.vu;
  console.log('vu', idInInstance, idInTest, 'iteration', iterationInInstance, iterationInScenario);
  if (__ITER === 1) console.log(exec.scenario.name, exec.scenario.executor);
}
