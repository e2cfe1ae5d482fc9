// Files of edition 2023: features say which fields have presence; types are seen over two public imports.
// console: {"anInt32":0,"anInt64":null,"aString":"","colour":null,"inner":null,"numbers":[],"ages":{},"colours":[]}
// console: {"anInt32":7,"anInt64":"0","aString":"x","colour":"RED","inner":{"name":"","inner":null},"numbers":[1,2],"ages":{"a":1},"left":"","colours":["BLUE",77]}
// console: GoError: edition_label.proto:4:3: label 'optional' is not allowed in editions; use option features.field_presence instead
import grpc from 'k6/net/grpc';

const client = new grpc.Client();
client.load(['data'], 'edition.proto');
let refused;
try {
  new grpc.Client().load(['data'], 'edition_label.proto');
} catch (error) {
  refused = String(error);
}

export default function () {
  client.connect(__ENV.GRPC, { plaintext: true });
  const say = (message) => console.log(JSON.stringify(client.invoke('test.v1.Test/Say', message).message));
  say({});
  say({ anInt32: 7, anInt64: 0, aString: 'x', colour: 'RED', inner: {}, numbers: [1, 2], ages: { a: 1 }, left: '', colours: ['BLUE', 77] });
  console.log(refused);
  client.close();
}
