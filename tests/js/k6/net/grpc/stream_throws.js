// An exception in a handler fails the iteration; the next one works.
// args: --iterations 2
// console: thrown
// console: done
// log: Error: by a handler
import { Client, Stream } from 'k6/net/grpc';

const client = new Client();
client.load(['data'], 'test.proto');
let stream;

export default function () {
  if (__ITER === 0) client.connect(__ENV.GRPC, { plaintext: true });
  stream = new Stream(client, 'test.v1.Test/Talk');
  stream.on('data', () => {
    if (__ITER > 0) return stream.end();
    console.log('thrown');
    throw new Error('by a handler');
  });
  stream.on('end', () => console.log('done'));
  stream.write({ text: 'a' });
}
