// One test for several instances: arrivals of so many a second, and VUs that go up and down. Every request says which iteration it
// is, so that the target's log can be compared with what was measured.
import http from 'k6/http';
import { check, sleep } from 'k6';
import { SharedArray } from 'k6/data';
import { Counter, Gauge, Rate, Trend } from 'k6/metrics';
import exec from 'k6/execution';

const seconds = Number(__ENV.SECONDS || 60);
const rate = Number(__ENV.RATE || 80);
const rows = new SharedArray('rows', () => Array.from({ length: 1000 }, (_, id) => ({ id })));

const due = new Counter('due');
const level = new Gauge('level');
const even = new Rate('even');
const [number, vu, iteration] = ['number', 'vu_in_test', 'iteration_in_test'].map((name) => new Trend(name));

export const options = {
  scenarios: {
    arrivals: {
      executor: 'constant-arrival-rate', rate, duration: `${seconds}s`, preAllocatedVUs: rate, maxVUs: 2 * rate, exec: 'arrive',
      gracefulStop: '10s',
    },
    ramp: {
      executor: 'ramping-vus', startVUs: 8, exec: 'loop', gracefulRampDown: '10s', gracefulStop: '10s',
      stages: [{ duration: `${seconds / 2}s`, target: 16 }, { duration: `${seconds / 2}s`, target: 8 }],
    },
  },
  thresholds: {
    checks: ['rate==1'],
    'iterations{scenario:arrivals}': ['count>0'],
    'http_req_duration{scenario:ramp}': ['max<60000'],
    http_req_failed: ['rate<0.01', 'rate<0.5 for 5s'],
  },
  summaryTrendStats: ['count', 'min', 'avg', 'med', 'p(90)', 'p(95)', 'p(99)', 'max'],
};

export function setup() {
  return { word: 'of all' };
}

function ask(data) {
  const { name } = exec.scenario;
  const { iterationInTest } = exec.scenario;
  const { idInTest } = exec.vu;
  const path = `/${name}/${iterationInTest}/${idInTest}`;
  const response = http.get(`${__ENV.BASE_URL}${path}`, { tags: { name } });
  check(response, {
    'is 200': ({ status }) => status === 200,
    'has the data': () => data.word === 'of all' && rows[iterationInTest % 1000].id === iterationInTest % 1000,
  });
  vu.add(idInTest);
  iteration.add(iterationInTest);
  level.add((iterationInTest * 31) % 97);
  even.add(iterationInTest % 2 === 0);
  return iterationInTest;
}

export function arrive(data) {
  const at = ask(data);
  due.add(1);
  // Eighths, so that the units of a histogram are whole; more of them than are kept one by one.
  for (let nth = 0; nth < 25; nth++) number.add(((at * 7919 + nth * 104729) % 80000) / 8);
}

export function loop(data) {
  ask(data);
  sleep(0.5);
}

export function teardown(data) {
  http.get(`${__ENV.BASE_URL}/teardown/0/0`, { tags: { name: 'teardown' } });
}
