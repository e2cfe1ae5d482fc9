// A stream that never ends keeps its iteration, and ends with it.
// console: open
import { Client, Stream } from 'k6/net/grpc';

export const options = { scenarios: { one: { executor: 'constant-vus', vus: 1, duration: '1s', gracefulStop: '0s' } } };

const client = new Client();
client.load(['data'], 'test.proto');

export default function () {
  client.connect(__ENV.GRPC, { plaintext: true });
  const stream = new Stream(client, 'test.v1.Test/Count');
  stream.on('end', () => console.log('never'));
  stream.on('error', () => console.log('never'));
  stream.write({ value: -1 });
  console.log('open');
}
