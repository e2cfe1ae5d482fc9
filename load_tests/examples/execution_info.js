// Who and where am I? What the execution API knows.
import http from 'k6/http';
import exec from 'k6/execution';
import { check } from 'k6';

const BASE_URL = __ENV.BASE_URL || 'http://127.0.0.1:8080';
export const options = { scenarios: { look: { executor: 'per-vu-iterations', vus: 2, iterations: 2 } } };

export default function () {
  http.get(`${BASE_URL}/plain`);
  check(exec, {
    'the scenario': ({ scenario }) => scenario.name === 'look' && scenario.executor === 'per-vu-iterations',
    'how far it is': ({ scenario }) => scenario.progress >= 0 && scenario.progress <= 1,
    'the VU': ({ vu }) => vu.idInTest >= 1 && vu.iterationInScenario === __ITER,
    'the instance': ({ instance }) => instance.vusActive >= 1 && instance.currentTestRunDuration > 0,
    'the options': ({ test }) => test.options.scenarios.look.vus === 2,
  });
}
