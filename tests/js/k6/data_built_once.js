// One VU builds, the others wait for it; after one that failed the next one tries.
// args: --vus 6 --iterations 6
// console: failing
// console: building
// console: 2
// console: 2
// console: 2
// console: 2
// console: 2
// console: 2
import { SharedArray } from 'k6/data';
import { sleep } from 'k6';

// The first pass does not ask, so all VUs do at once.
let rows;
let tries = 0;
while (__VU > 0 && rows === undefined) {
  try {
    rows = new SharedArray('rows', () => {
      sleep(0.05);
      const isFirst = new SharedArray('first', () => [__VU])[0] === __VU && tries++ === 0;
      console.log(isFirst ? 'failing' : 'building');
      if (isFirst) throw new Error('not yet');
      return [1, { n: 2 }];
    });
  } catch (error) {
    if (error.message !== 'not yet') throw error;
    sleep(0.05);
  }
}

export default function () {
  console.log(rows[1].n);
}
