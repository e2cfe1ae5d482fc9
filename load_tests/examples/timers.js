// Poll until something is ready, without standing still: timers and promises.
import http from 'k6/http';
import { check } from 'k6';

const BASE_URL = __ENV.BASE_URL || 'http://127.0.0.1:8080';
export const options = { vus: 1, iterations: 1 };

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export default async function () {
  let polls = 0;
  let ready = false;
  while (!ready && polls < 5) {
    await pause(20);
    polls += 1;
    const res = await http.asyncRequest('GET', `${BASE_URL}/health`, null, { tags: { name: 'poll' } });
    ready = res.json('status') === 'ok' && polls >= 2;
  }
  check(polls, { 'was ready at the second look': (n) => n === 2 });
}
