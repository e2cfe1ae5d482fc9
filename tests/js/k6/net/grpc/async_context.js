// Listeners of a stream run under the context they were registered in; samples carry that of the call.
// args: --features async-metric-context
// console: data 1 listener
// console: data 2 listener
// console: end end
// console: called main
// console: 1 2 1 0
import exec from 'k6/execution';
import { Client, Stream } from 'k6/net/grpc';

const names = ['grpc_req_duration{at:call}', 'grpc_streams_msgs_received{at:stream}', 'grpc_req_duration{at:stream}', 'grpc_req_duration{at:main}'];
export const options = { thresholds: Object.fromEntries(names.map((name) => [name, []])), summaryTrendStats: ['count'] };
const client = new Client();
client.load(['data'], 'test.proto');

export default async function () {
  const { tags } = exec.vu.metrics;
  client.connect(__ENV.GRPC, { plaintext: true });
  tags.at = 'stream';
  const stream = new Stream(client, 'test.v1.Test/Count');
  tags.at = 'listener';
  stream.on('data', ({ value }) => {
    console.log('data', value, tags.at);
    tags.at = 'changed';
  });
  const ended = new Promise((resolve) => {
    tags.at = 'end';
    stream.on('end', () => {
      console.log('end', tags.at);
      resolve();
    });
  });
  stream.write({ value: 2 });
  stream.end();
  await ended;
  tags.at = 'call';
  const called = client.asyncInvoke('test.v1.Test/Say', {});
  tags.at = 'main';
  await called.catch(() => {});
  console.log('called', tags.at);
}
export function handleSummary({ metrics }) {
  console.log(...names.map((name) => metrics[name].values.count));
}
