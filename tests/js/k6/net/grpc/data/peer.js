// What is said to a server on grpcio; run by `tests/grpc.rs`.
import grpc from 'k6/net/grpc';
import { check } from 'k6';

export const options = { vus: 4, iterations: 8, thresholds: { checks: ['rate==1'] } };

const client = new grpc.Client();
client.load(['.'], 'test.proto');
const say = (request, params) => client.invoke('test.v1.Test/Say', request, params);
const ended = (stream) => new Promise((done) => stream.on('end', done));

export default async function () {
  if (__ITER === 0) {
    const tls = { cacerts: __ENV.CA, cert: __ENV.CERT, key: __ENV.KEY };
    client.connect(__ENV.ADDRESS, __ENV.CA ? { tls, authority: 'localhost' } : { plaintext: true });
  }
  const answer = say({ aString: 'x', inner: { name: 'y' } });
  check(answer, {
    'comes back': ({ status, message }) => status === grpc.StatusOK && message.aString === 'x' && message.inner.name === 'y',
  });
  const large = say({ aString: 'z'.repeat(3000000) });
  check(large, { 'large messages': ({ message }) => message.aString.length === 3000000 });
  check(say({ aString: 'z'.repeat(5000000) }), { 'too large': ({ status }) => status === grpc.StatusResourceExhausted });
  check(client.invoke('test.v1.Test/Fail', {}), {
    'fails': ({ status, error, trailers }) =>
      status === grpc.StatusNotFound && error.message === 'nothing é here' && trailers['t-raw-bin'][0].length === 2,
  });
  const metadata = { 'x-text': 'one', 'x-bin': new Uint8Array([7, 8]) };
  check(client.invoke('test.v1.Test/Meta', {}, { metadata }), {
    'metadata': ({ headers, trailers }) => headers['x-text'][0] === 'one' && trailers['t-bin'][0] === '\x07\x08',
  });
  check(client.invoke('test.v1.Test/Sleep', {}, { timeout: '100ms' }), {
    'deadline': ({ status, error }) => status === grpc.StatusDeadlineExceeded && error.message !== '',
  });
  check(client.invoke('test.v1.Test/Odd', {}), { 'unknown': ({ status }) => status === grpc.StatusUnimplemented });

  const sum = new grpc.Stream(client, 'test.v1.Test/Sum');
  sum.on('data', ({ value }) => check(value, { 'sum': (value) => value === '15' }));
  for (let value = 1; value <= 5; value++) sum.write({ value });
  sum.end();
  const count = new grpc.Stream(client, 'test.v1.Test/Count');
  let counted = 0;
  count.on('data', () => counted++);
  count.write({ value: 100 });
  count.end();
  const talk = new grpc.Stream(client, 'test.v1.Test/Talk');
  let heard = 0;
  talk.on('data', ({ text }) => {
    if (text.length === 100000 && ++heard === 20) talk.end();
  });
  for (let at = 0; at < 20; at++) talk.write({ text: 't'.repeat(100000) });
  await Promise.all([sum, count, talk].map(ended));
  check([counted, heard], { 'streams': ([counted, heard]) => counted === 100 && heard === 20 });
}
