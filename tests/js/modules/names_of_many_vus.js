// Engines may keep the names of what VUs have parsed in one place. Nobody can tell: a VU finds its own, whatever its neighbours
// have parsed since it last ran. Some of these VUs are made while others run.
// console: all found
import { sleep } from 'k6';
import * as own from './data/counter_default.js';
import { first } from './data/names_first.js';
import * as star from './data/star.js';

export const options = {
  scenarios: {
    all: { executor: 'constant-arrival-rate', rate: 200, duration: '1s', preAllocatedVUs: 2, maxVUs: 20, gracefulStop: '5s' },
  },
};

// Names that no other VU has, and in between a module that is linked to one that was there before.
const parse = (when) => {
  const names = Array.from({ length: 20 }, (_, at) => `name_${when}_${__VU}_${at * __VU}`);
  return () => names.every((name) => new Function(`const ${name} = '${name}'; return { ${name} }`)()[name] === name);
};
const before = parse('before');
before();
sleep(((__VU * 7) % 5) / 100);
const late = require('./data/names_late.js');
const after = parse('after');

export default function () {
  sleep(0.02 + Math.random() / 50);
  const found = [
    Object.keys(own).join(),
    Object.keys(star).join(),
    typeof star.again.get,
    Object.keys(late).join(),
    late.second(),
    first === late.again,
    before() && after(),
  ].join(' ');
  if (found !== 'default again function again,second first second true true') console.log(found);
}

export function teardown() {
  console.log('all found');
}
