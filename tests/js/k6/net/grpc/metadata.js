// Metadata goes both ways, binary values included; tags and samples are k6's.
// args: --tag run=1
// console: ["a","b"] ["a","b"] true
// console: content-type: application/grpc; user-agent: mine grpc-volley/...; te: trailers; grpc-timeout: ...m; y: 1; authority: somewhere:1
// console: NotFound
// console: {"status":1} {"status":2}
// console: GoError: rpc error: code = NotFound desc = 
// console: GoError: invalid GRPC's client.invoke() parameters: metric tags: invalid value for metric tag 'a': only String, Boolean and Number types are accepted as a metric tag values
// console: {"":6,"ip:127.0.0.1":6,"name:/test.v1.Test/Meta,service:test.v1.Test,method:Meta,status:0,kind:first,run:1":1,"name:own":1,"status:5":2}
import grpc, { Client, StatusNotFound } from 'k6/net/grpc';

export const options = {
  userAgent: 'mine',
  thresholds: {
    'grpc_req_duration{name:/test.v1.Test/Meta,service:test.v1.Test,method:Meta,status:0,kind:first,run:1}': ['max>0'],
    'grpc_req_duration{name:own}': ['max>0'],
    'grpc_req_duration{status:5}': ['max>0'],
    'grpc_req_duration{ip:127.0.0.1}': ['max>0'],
    data_sent: ['count>300'],
    data_received: ['count>300'],
  },
  systemTags: ['name', 'url', 'service', 'method', 'status', 'ip'],
  summaryTrendStats: ['count'],
};

const client = new Client();
client.load(['data'], 'test.proto');

export default function () {
  client.connect(__ENV.GRPC, { plaintext: true, authority: 'somewhere:1' });
  const metadata = { 'X-One': 'a', 'x-one': 'b', 'x-raw-bin': new Uint8Array([65, 66, 195, 169]), 'grpc-timeout': '1S' };
  const { headers, trailers } = client.invoke('test.v1.Test/Meta', {}, { metadata, tags: { kind: 'first' } });
  console.log(JSON.stringify(headers['x-one']), JSON.stringify(trailers['t-one']), headers['x-raw-bin'][0] === 'ABé');
  console.log(client.invoke('test.v1.Test/Meta', {}, { metadata: { y: '1' }, tags: { name: 'own' } }).message.text);
  if (client.invoke('test.v1.Test/Fail', { code: 5 }).status === StatusNotFound) console.log('NotFound');
  console.log(JSON.stringify(client.healthCheck()), JSON.stringify(client.healthCheck('sick')));
  try {
    client.healthCheck('missing');
  } catch (error) {
    console.log(String(error));
  }
  try {
    client.invoke('test.v1.Test/Meta', {}, { tags: { a: {} } });
  } catch (error) {
    console.log(String(error));
  }
}

export function handleSummary({ metrics }) {
  const counts = {};
  for (const name of Object.keys(metrics).sort()) {
    const [, inside] = /^grpc_req_duration(?:{(.*)})?$/.exec(name) ?? [];
    if (name.startsWith('grpc_req_duration')) counts[inside ?? ''] = metrics[name].values.count;
  }
  console.log(JSON.stringify(counts));
  return {};
}
