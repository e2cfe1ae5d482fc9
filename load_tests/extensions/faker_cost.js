// What a call of each function of k6/x/faker costs: CALLS of each in one VU, less a loop that does nothing. Says which take longer than
// LIMIT microseconds, and ends with another code than 0 if one does.
//
//     volley run --quiet -e CALLS=5000 -e LIMIT=2 load_tests/extensions/faker_cost.js
import faker from 'k6/x/faker';
import { Trend } from 'k6/metrics';

const CALLS = Number(__ENV.CALLS || 5000);
const LIMIT = Number(__ENV.LIMIT || 2);
// Something else may run meanwhile: the fastest of so many loops counts, or the first that is fast enough.
const TRIES = 40;

export const options = { iterations: 1, thresholds: { faker_call: [`max<${LIMIT}`] } };

const cost = new Trend('faker_call');
// Of functions that can't do without arguments.
const ARGUMENTS = {
  digitN: [5],
  float32Range: [1, 2],
  float64Range: [1, 2],
  intRange: [1, 100],
  letterN: [5],
  lexify: ['???-???'],
  numerify: ['###-###'],
  randomInt: [[1, 2, 3]],
  randomString: [['a', 'b', 'c']],
  randomUint: [[1, 2, 3]],
  shuffleInts: [[1, 2, 3]],
  shuffleStrings: [['a', 'b', 'c']],
  teams: [['a', 'b', 'c'], ['x', 'y']],
};

function micros(work, enough) {
  let best = Infinity;
  for (let attempt = 0; attempt < TRIES && (best * 1000) / CALLS > enough; attempt++) {
    const began = Date.now();
    for (let i = 0; i < CALLS; i++) work();
    best = Math.min(best, Date.now() - began);
  }
  return (best * 1000) / CALLS;
}

export default function () {
  const empty = micros(() => undefined, 0);
  const found = [];
  for (const category of Object.keys(faker)) {
    if (category === 'zen' || category === 'call') continue;
    for (const name of Object.keys(faker[category])) {
      const [call, args] = [faker[category][name], ARGUMENTS[name] || []];
      const one = Math.max(0, micros(() => call(...args), LIMIT * 0.8 + empty) - empty);
      cost.add(one);
      found.push({ name: `${category}.${name}`, one });
    }
  }
  found.sort((a, b) => b.one - a.one);
  const slow = found.filter(({ one }) => one >= LIMIT);
  console.log(`${found.length} functions, ${slow.length} of them take ${LIMIT} us or more; the median is ${found[found.length >> 1].one.toFixed(2)} us`);
  for (const { name, one } of slow.concat(found.slice(slow.length, slow.length + 5))) console.log(`${name} ${one.toFixed(2)} us`);
}
