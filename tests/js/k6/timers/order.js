// Timers fire in the order of their time, after the synchronous code; the iteration waits for them.
// console: sync
// console: microtask
// console: 10
// console: 50
// console: interval 1
// console: interval 2
import { clearInterval, clearTimeout, setInterval, setTimeout } from 'k6/timers';

export default function () {
  setTimeout(() => console.log('50'), 50);
  setTimeout(() => console.log('10'), 10);
  clearTimeout(setTimeout(() => console.log('never'), 20));
  let count = 0;
  const id = setInterval(() => {
    console.log('interval', ++count);
    if (count === 2) clearInterval(id);
  }, 100);
  Promise.resolve().then(() => console.log('microtask'));
  console.log('sync');
}
