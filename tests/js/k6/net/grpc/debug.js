// The option httpDebug shows calls, with `full` what is in them.
// args: --http-debug=full
// log: Out Header:\nFull Method: /test.v1.Test/Meta\nx-a: b\n\nOut Payload:\n{"text":"hello"}\n
// log: In Header:\ncontent-type: application/grpc\nx-a: b\n\nIn Trailer:\nt-a: b\n\nIn Payload:\n{"text": "content-type: application/grpc...
import { Client } from 'k6/net/grpc';

const client = new Client();
client.load(['data'], 'test.proto');

export default function () {
  client.connect(__ENV.GRPC, { plaintext: true });
  client.invoke('test.v1.Test/Meta', { text: 'hello' }, { metadata: { 'x-a': 'b' } });
}
