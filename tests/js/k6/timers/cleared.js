// A timer that is cleared when it is due already does nothing, and no other one runs in its place.
// console: first
// console: third true
// console: interval none
// console: interval 1 of 2, next true
// console: promise cleared it
import { clearInterval, clearTimeout, setInterval, setTimeout } from 'k6/timers';

const busy = (ms) => {
  for (const until = Date.now() + ms; Date.now() < until; );
};
const later = (ms) => new Promise((done) => setTimeout(done, ms));

export default async function () {
  // All three of these are due before the first one's callback returns, but for the last.
  let began = Date.now();
  let second;
  setTimeout(() => {
    busy(60);
    clearTimeout(second);
    console.log('first');
  }, 10);
  second = setTimeout(() => console.log('the second must not run'), 20);
  setTimeout(() => console.log('third', Date.now() - began >= 200), 200);
  await later(250);

  let ticks = 0;
  began = Date.now();
  const interval = setInterval(() => ticks++, 20);
  setTimeout(() => {
    busy(60);
    clearInterval(interval);
  }, 1);
  await later(120);
  console.log('interval', ticks === 0 ? 'none' : ticks);

  // An interval that clears itself, and another that is due with it.
  ticks = 0;
  began = Date.now();
  const own = setInterval(() => {
    ticks++;
    clearInterval(own);
    clearInterval(other);
    busy(50);
  }, 10);
  const other = setInterval(() => ticks++, 11);
  let next = 0;
  setTimeout(() => (next = Date.now() - began), 150);
  await later(200);
  console.log(`interval ${ticks} of 2, next ${next >= 150}`);

  // Cleared by a promise's reaction, between the two.
  const due = [];
  setTimeout(() => {
    busy(30);
    Promise.resolve().then(() => clearTimeout(due[0]));
  }, 5);
  due[0] = setTimeout(() => console.log('must not run either'), 10);
  await later(80);
  console.log('promise cleared it');
}
