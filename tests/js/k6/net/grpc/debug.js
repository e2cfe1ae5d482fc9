// The option httpDebug shows calls, with `full` what is in them.
// args: --http-debug=full
// log: Out Header:...Full Method: /test.v1.Test/Meta...x-a: b...Out Payload:...{"text":"hello"}
// log: In Header:...content-type: application/grpc...x-a: b...In Trailer:...t-a: b...In Payload:...{"text": "content-type: application/grpc
import { Client } from 'k6/net/grpc';

const client = new Client();
client.load(['data'], 'test.proto');

export default function () {
  client.connect(__ENV.GRPC, { plaintext: true });
  client.invoke('test.v1.Test/Meta', { text: 'hello' }, { metadata: { 'x-a': 'b' } });
}
