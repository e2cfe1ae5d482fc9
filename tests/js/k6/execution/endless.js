// What never ends by itself is stopped at the end of the scenario's time, whatever it is, and the run goes on without it.
// console: torn down
// no log: did not stop
// no log: came back
export const options = {
  scenarios: { s: { executor: 'per-vu-iterations', vus: 10, iterations: 1, maxDuration: '1s', gracefulStop: '0s' } },
};
const numbers = { [Symbol.iterator]: () => ({ next: () => ({ done: false, value: 1 }) }) };
function* generator() {
  for (;;) yield 1;
}
const endless = [
  () => { for (;;); },
  () => { while (true) {} },
  () => { do {} while (true); },
  () => { for (const n of numbers) if (n > 1) break; },
  () => { for (const n of generator()) if (n > 1) break; },
  () => { [1].map(() => { for (;;); }); },
  () => { new Map([[1, 2]]).forEach((v, k, map) => { for (let n = 0; ; n += 1) map.set('x', n); }); },
  () => { try { for (;;); } catch { console.log('came back'); } finally { console.log('came back'); } },
  async () => { await null; for (;;); },
  () => { 'x'.replace('x', () => { for (;;); }); },
];

export default function () {
  const result = endless[(__VU - 1) % endless.length]();
  if (result === undefined) console.error('came back');
  return result;
}

export function teardown() {
  console.log('torn down');
}
