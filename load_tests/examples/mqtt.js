// Messages over MQTT: each VU subscribes, publishes and waits until its message is back. Needs MQTT_URL beside the target.
import { Client } from 'k6/x/mqtt';
import { check } from 'k6';
import { Trend } from 'k6/metrics';

const url = __ENV.MQTT_URL || 'mqtt://127.0.0.1:1883';
const roundTrip = new Trend('message_round_trip', true);

export const options = {
  vus: 5,
  iterations: 50,
  thresholds: { 'mqtt_duration{method:publish}': ['p(95)<1000'], mqtt_errors: ['count<1'], checks: ['rate==1'] },
};

export default async function () {
  const client = new Client({ username: __ENV.MQTT_USER, password: __ENV.MQTT_PASSWORD });
  const topic = `example/${__VU}`;
  const arrival = new Promise((resolve) => {
    client.on('message', (_, payload) => resolve(String.fromCharCode(...new Uint8Array(payload))));
  });
  await client.connectAsync(url, { connect_timeout: 5000 });
  await client.subscribeAsync(topic, { qos: 1 });
  const sent = Date.now();
  await client.publishAsync(topic, `message ${__ITER}`, { qos: 1 });
  const text = await arrival;
  roundTrip.add(Date.now() - sent);
  check(text, { 'the message is back': (found) => found === `message ${__ITER}` });
  // A client keeps the iteration going until it ends.
  client.end();
}
