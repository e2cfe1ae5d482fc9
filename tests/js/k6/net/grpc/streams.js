// Streams of every direction, and how they end.
// log: can't register zz event handler: unknown GRPC stream's event type: zz
// log: can't send empty message
// log: no handlers for error registered, but an error happened: rpc error: code = FailedPrecondition desc = why
// console: sum 6 number
// console: sum end {} number
// console: count 1,2,3
// console: talk A,B
// console: failed {"code":9,"details":[],"message":"why not"}
// console: failed end
// console: late 4 context deadline exceeded
// console: bad 2 can't serialise request object to protocol buffer: proto: (line 1:2): unknown field "no"
// console: bad end
// console: alone 13 SendMsg called after CloseSend
// console: alone end
// console: unasked 1,2 end
// console: discarded {} {}
// console: closed 1 canceled by client (k6)
// console: GoError: handler for "data" event isn't a callable function
// console: GoError: invalid GRPC Stream's client: empty gRPC client
// console: GoError: invalid GRPC Stream's client: not a gRPC client
// console: GoError: invalid GRPC Stream's method: method "/test.v1.Test/Nope" not found in file descriptors
// console: GoError: invalid GRPC Stream's parameters: unknown param: "zz"
// console: GoError: invalid GRPC Stream's client: no gRPC connection, you must call connect first
// console: 10 1 2 1 1
import { Client, Stream } from 'k6/net/grpc';

export const options = {
  thresholds: {
    grpc_streams: ['count==10'],
    'grpc_streams{method:Sum}': ['count==1'],
    'grpc_streams_msgs_sent{method:Sum}': ['count==3'],
    'grpc_streams_msgs_received{method:Count}': ['count==7'],
    'grpc_req_duration{method:Talk,status:9}': ['max>0'],
    'grpc_req_duration{method:Count,status:4}': ['max>0'],
    'grpc_req_duration{method:Talk,status:2}': ['max>0'],
    'grpc_req_duration{method:Count,status:1}': ['max>0'],
  },
  summaryTrendStats: ['count'],
};

const client = new Client();
client.load(['data'], 'test.proto');
const ended = (stream) => new Promise((done) => stream.on('end', (value, { ts }) => done([value, ts])));
const attempt = (f) => {
  try {
    f();
  } catch (error) {
    console.log(String(error));
  }
};

export default async function () {
  client.connect(__ENV.GRPC, { plaintext: true });

  let stream = new Stream(client, 'test.v1.Test/Sum');
  stream.on('data', (message, { ts }) => console.log('sum', message.value, typeof ts));
  stream.on('zz', () => {});
  for (const value of [1, 2, 3]) stream.write({ value });
  stream.write(null);
  stream.end();
  stream.write({ value: 100 });
  stream.end();
  const [value, ts] = await ended(stream);
  console.log('sum end', JSON.stringify(value), typeof ts);

  stream = new Stream(client, 'test.v1.Test/Count', { tags: { a: 'b' } });
  const counted = [];
  stream.on('data', (message) => counted.push(message.value));
  stream.write({ value: 3 });
  stream.end();
  await ended(stream);
  console.log('count', counted.join());

  stream = new Stream(client, '/test.v1.Test/Talk');
  const talk = [];
  stream.on('data', (message) => {
    talk.push(message.text);
    if (talk.length === 1) stream.write({ text: 'b' });
    else stream.write({ text: 'fail why' });
  });
  stream.write({ text: 'a' });
  await ended(stream);
  console.log('talk', talk.join());

  stream = new Stream(client, 'test.v1.Test/Talk');
  stream.on('error', (error) => console.log('failed', JSON.stringify(error)));
  stream.write({ text: 'fail why not' });
  await ended(stream);
  console.log('failed end');

  stream = new Stream(client, 'test.v1.Test/Count', { timeout: 50 });
  stream.on('error', (error) => console.log('late', error.code, error.message));
  stream.write({ value: -1 });
  await ended(stream);

  stream = new Stream(client, 'test.v1.Test/Talk');
  stream.on('error', (error) => console.log('bad', error.code, error.message));
  stream.write({ no: 1 });
  await ended(stream);
  console.log('bad end');

  // A method that takes one message: the stream is closed on our side with it.
  stream = new Stream(client, 'test.v1.Test/Count');
  stream.on('error', (error) => console.log('alone', error.code, error.message));
  stream.write({ value: -1 });
  stream.write({ value: 1 });
  stream.write({ value: 1 });
  await ended(stream);
  console.log('alone end');
  stream = new Stream(client, 'test.v1.Test/Count');
  const unasked = [];
  stream.on('data', (message) => unasked.push(message.value));
  stream.write({ value: 2 });
  await ended(stream);
  console.log('unasked', unasked.join(), 'end');
  stream = new Stream(client, 'test.v1.Test/Count', { discardResponseMessage: true });
  const discarded = [];
  stream.on('data', (message) => discarded.push(JSON.stringify(message)));
  stream.write({ value: 2 });
  stream.end();
  await ended(stream);
  console.log('discarded', discarded.join(' '));

  stream = new Stream(client, 'test.v1.Test/Count');
  stream.on('error', (error) => console.log('closed', error.code, error.message));
  stream.write({ value: -1 });
  client.close();
  await ended(stream);

  attempt(() => stream.on('data', 5));
  attempt(() => new Stream(undefined, 'test.v1.Test/Sum'));
  attempt(() => new Stream({}, 'test.v1.Test/Sum'));
  client.connect(__ENV.GRPC, { plaintext: true });
  attempt(() => new Stream(client, 'test.v1.Test/Nope'));
  attempt(() => new Stream(client, 'test.v1.Test/Sum', { zz: 1 }));
  client.close();
  attempt(() => new Stream(client, 'test.v1.Test/Sum'));
}

export function handleSummary({ metrics }) {
  const tags = ['', '{method:Count,status:1}', '{method:Talk,status:9}', '{method:Count,status:4}', '{method:Talk,status:2}'];
  console.log(tags.map((tag) => metrics[`grpc_req_duration${tag}`].values.count).join(' '));
  return {};
}
