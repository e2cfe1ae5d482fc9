// A stream of events: the VU listens until it has heard enough. Needs SSE_URL.
import sse from 'k6/x/sse';
import { check } from 'k6';

const SSE_URL = __ENV.SSE_URL || 'http://127.0.0.1:8080/events';
const ENOUGH = 3;

export const options = { vus: 2, iterations: 4, thresholds: { sse_event: ['count>0'], checks: ['rate==1'] } };

export default function () {
  let heard = 0;
  const response = sse.open(SSE_URL, { headers: { 'X-From': 'volley' }, timeout: '10s' }, (client) => {
    client.on('event', ({ data }) => {
      heard++;
      if (data === 'last' || heard === ENOUGH) client.close();
    });
    client.on('error', (error) => console.warn(error.error()));
  });
  check(response, { 'the stream was opened': ({ status }) => status === 200 });
  check(heard, { 'events came': (count) => count > 0 });
}
