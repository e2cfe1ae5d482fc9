// Calls that end otherwise, and requests that can't be sent.
// console: 5 {"code":5,"message":"nothing é%","details":[]} {"value":"0"}
// console: {"code":9,"message":"x","details":[{"@type":"type.googleapis.com/test.v1.Text","text":"more"},{"@type":"type.googleapis.com/no.such.Type","value":"AQI="}]}
// console: 4 context deadline exceeded
// console: 14 unexpected HTTP status code received from server: 503 (Service Unavailable); transport: received unexpected content-type "text/html"
// console: 13 server closed the stream without sending trailers
// console: 13 cardinality violation: received no response message from non-server-streaming RPC
// console: 13 cardinality violation: expected <EOF> for non server-streaming RPCs, but received another message
// console: 8 stream terminated by RST_STREAM with error code: ENHANCE_YOUR_CALM
// console: 12 grpc: Decompressor is not installed for grpc-encoding "gzip"
// console: 8 grpc: received message larger than max (5000 vs. 4000)
// console: 13 grpc: failed to unmarshal the received message: ...
// console: 3 nothing odd is called this
// console: {"content-type":["application/grpc"]} {}
// console: 14 error reading from server: ...
// console: again 0
// console: 8 trying to send message larger than max (3002 vs. 3000)
// console: GoError: request cannot be nil
// console: GoError: method to invoke cannot be empty
// console: GoError: method "/t.v1.Echo/Nope" not found in file descriptors
// console: GoError: unable to serialise request object to protocol buffer: proto: (line 1:2): unknown field "zzz"
// console: GoError: unable to serialise request object to protocol buffer: proto: (line 1:12): invalid value for int32 field anInt32: "abc"
// console: GoError: unable to serialise request object to protocol buffer: proto: (line 1:12): invalid value for int32 field anInt32: 1.5
// console: GoError: unable to serialise request object to protocol buffer: proto: (line 1:11): invalid value for enum field colour: "GREEN"
// console: GoError: unable to serialise request object to protocol buffer: proto: syntax error (line 1:10): unexpected token 5
// console: GoError: unable to normalize number strings: cyclic reference to an object found
// console: 9007199254740993
// console: GoError: invalid GRPC's client.invoke() parameters: unknown param: "zz"
// console: GoError: invalid GRPC's client.invoke() parameters: invalid metadata param: "a-bin" value must be binary
// console: GoError: invalid GRPC's client.invoke() parameters: invalid metadata param: "a" value must be a string
// console: GoError: invalid GRPC's client.invoke() parameters: invalid timeout value: time: invalid duration "x"
// console: method "/t.v1.Echo/Nope" not found in file descriptors false
// console: GoError: no gRPC connection, you must call connect first
import grpc from 'k6/net/grpc';

const client = new grpc.Client();
client.load(['data'], 'test.proto');
const attempt = (f) => {
  try {
    console.log(f());
  } catch (error) {
    console.log(String(error));
  }
};
const say = (request, params) => attempt(() => client.invoke('test.v1.Test/Say', request, params));

export default async function () {
  client.connect(__ENV.GRPC, { plaintext: true, maxReceiveSize: 4000, maxSendSize: 3000 });
  const fail = (request) => client.invoke('test.v1.Test/Fail', request);
  const lost = fail({ code: 5, message: 'nothing é%' });
  console.log(lost.status, JSON.stringify(lost.error), JSON.stringify(lost.message));
  console.log(JSON.stringify(fail({ code: 9, message: 'x', detail: 'more' }).error));
  const slow = client.invoke('test.v1.Test/Sleep', { value: 30000 }, { timeout: '50ms' });
  console.log(slow.status, slow.error.message);
  let last;
  for (const text of ['http', 'no trailers', 'no message', 'two messages', 'reset', 'compressed', 'large', 'broken', 'this']) {
    last = client.invoke('test.v1.Test/Odd', { text });
    console.log(last.status, last.error.message);
  }
  console.log(JSON.stringify(last.trailers), JSON.stringify(last.headers));
  const left = client.invoke('test.v1.Test/Odd', { text: '' }, { metadata: { 'x-leave': '1' } });
  console.log(left.status, left.error.message);
  console.log('again', client.invoke('test.v1.Test/Say', {}).status);
  const large = client.invoke('test.v1.Test/Say', { aString: 'x'.repeat(2999) });
  console.log(large.status, large.error.message);
  say();
  attempt(() => client.invoke('', {}));
  attempt(() => client.invoke('t.v1.Echo/Nope', {}));
  say({ zzz: 1 });
  say({ anInt32: 'abc' });
  say({ anInt32: 1.5 });
  say({ colour: 'GREEN' });
  say({ inner: 5 });
  const cycle = {};
  cycle.inner = cycle;
  say(cycle);
  console.log(client.invoke('test.v1.Test/Say', { anInt64: 9007199254740993n }).message.anInt64);
  say({}, { zz: 1 });
  say({}, { metadata: { 'a-bin': 'x' } });
  say({}, { metadata: { a: 1 } });
  say({}, { timeout: 'x' });
  await client.asyncInvoke('t.v1.Echo/Nope', {}).catch((error) => console.log(String(error), error instanceof Error));
  client.close();
  client.close();
  say({});
}
