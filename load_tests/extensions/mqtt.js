// A message to oneself, at each quality of service, over TCP and over a WebSocket.
import { check } from 'k6';
import { Client } from 'k6/x/mqtt';
import { pause } from './lib/plan.js';

export { begin, options, rest } from './lib/plan.js';

export default async function () {
  const client = new Client();
  const topic = `soak/${__VU}`;
  const arrival = new Promise((resolve) => {
    client.on('message', (_, payload) => resolve(String.fromCharCode(...new Uint8Array(payload))));
  });
  await client.connectAsync(__ITER % 2 === 0 ? __ENV.MQTT : __ENV.MQTT_WEBSOCKET);
  await client.subscribeAsync(topic, { qos: 2 });
  await client.publishAsync(topic, `${__ITER}`, { qos: __ITER % 3 });
  check(await arrival, { 'the message is back': (text) => text === `${__ITER}` });
  client.end();
  pause();
}
