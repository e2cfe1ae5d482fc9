// Checks return whether all hold, take functions and values, and are counted.
// console: true false true
// console: GoError: no checks provided to `check`
// console: passes 4 fails 1
import { check } from 'k6';

export default function () {
  const good = check(5, { 'is five': (n) => n === 5, 'is true': true });
  const bad = check('', { 'is not empty': (text) => text.length, 'is text': (text) => typeof text === 'string' });
  console.log(good, bad, check(null, { 'is null': (value) => value === null }));
  try {
    check(1);
  } catch (error) {
    console.log(error);
  }
}
export function handleSummary(data) {
  const { passes, fails } = data.metrics.checks.values;
  console.log('passes', passes, 'fails', fails);
}
