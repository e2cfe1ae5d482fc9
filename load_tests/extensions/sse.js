// Streams of events: some are heard to their end, some are left.
import { check } from 'k6';
import sse from 'k6/x/sse';
import { pause } from './lib/plan.js';

export { begin, options, rest } from './lib/plan.js';

export default function () {
  let heard = 0;
  const response = sse.open(__ENV.EVENTS, (client) => {
    client.on('event', () => {
      heard++;
      if (__ITER % 2 === 0 && heard === 3) client.close();
    });
  });
  check(response, { 'it was opened': ({ status, error }) => status === 200 && error === '' });
  check(heard, { 'events came': (count) => count === (__ITER % 2 === 0 ? 3 : 5) });
  pause();
}
