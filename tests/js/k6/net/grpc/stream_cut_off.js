// What a stream's server sent is counted, also where the end of the scenario comes before the script takes it.
// console: data
// console: 1 5 1
import { sleep } from 'k6';
import { Client, Stream } from 'k6/net/grpc';

export const options = {
  scenarios: { one: { executor: 'constant-vus', vus: 1, duration: '1s', gracefulStop: '0s' } },
  summaryTrendStats: ['count'],
};

const client = new Client();
client.load(['data'], 'test.proto');

export default function () {
  client.connect(__ENV.GRPC, { plaintext: true });
  const stream = new Stream(client, 'test.v1.Test/Count');
  stream.on('data', () => {
    console.log('data');
    sleep(30);
  });
  stream.write({ value: 5 });
  stream.end();
}
export function handleSummary({ metrics }) {
  const count = (name) => metrics[name].values.count;
  console.log(count('grpc_streams'), count('grpc_streams_msgs_received'), count('grpc_req_duration'));
}
