// Without files: servers say what they can, in either version of reflection.
// console: GRPC 7 RED
// console: GRPC_OLD 7 RED
// console: 5 1
import grpc from 'k6/net/grpc';

export const options = { thresholds: { 'grpc_req_duration{status:12}': ['max>0'] }, summaryTrendStats: ['count'] };

export default function () {
  for (const name of ['GRPC', 'GRPC_OLD']) {
    const client = new grpc.Client();
    client.connect(__ENV[name], { plaintext: true, reflect: true, reflectMetadata: { 'x-a': 'b' } });
    const { message } = client.invoke('test.v1.Test/Say', { an_int32: 7, colour: 'RED' });
    console.log(name, message.anInt32, message.colour);
    client.close();
  }
}

export function handleSummary({ metrics }) {
  console.log(metrics.grpc_req_duration.values.count, metrics['grpc_req_duration{status:12}'].values.count);
  return {};
}
