// Unary calls: every field comes back, with k6's shapes for what is not set.
// console: {"aDouble":1.5,"aFloat":0.1,"anInt32":-3,"anInt64":"9007199254740993","aUint32":4294967295,"aUint64":"18446744073709551615","aSint32":-7,"aSint64":"-8","aFixed32":9,"aFixed64":"10","aSfixed32":-11,"aSfixed64":"-12","aBool":true,"aString":"é\n","someBytes":"AAH/","colour":"BLUE","inner":{"name":"a","inner":{"name":"b","inner":null}},"numbers":[1,2,3],"inners":[{"name":"x","inner":null},{"name":"","inner":null}],"ages":{"ann":30,"bob":0},"byId":{"-5":{"name":"five","inner":null}},"right":{"name":"r","inner":null},"maybe":0,"at":"2024-02-29T12:34:56.700Z","lasts":"-1.500s","wrapped":"","shape":{"a":[1,"two",null,{"b":true}]},"any":{"@type":"type.googleapis.com/test.v1.Text","text":"inside"},"mask":"fooBar,baz","colours":["RED",77,"BLUE"],"value":null,"big":"5","nothing":{}}
// console: {"aDouble":0,"aFloat":0,"anInt32":0,"anInt64":"0","aUint32":0,"aUint64":"0","aSint32":0,"aSint64":"0","aFixed32":0,"aFixed64":"0","aSfixed32":0,"aSfixed64":"0","aBool":false,"aString":"","someBytes":"","colour":"COLOUR_UNKNOWN","inner":null,"numbers":[],"inners":[],"ages":{},"byId":{},"at":null,"lasts":null,"wrapped":null,"shape":null,"any":null,"mask":null,"colours":[],"value":null,"big":null,"nothing":null}
// console: message,error,headers,trailers,status 0 null {"content-type":["application/grpc"]} {}
// console: NaN Infinity -Infinity
// console: null 0
// console: true
import grpc from 'k6/net/grpc';

const client = new grpc.Client();
client.load(['data'], 'test.proto');

export default function () {
  client.connect(__ENV.GRPC, { plaintext: true });
  const full = {
    aDouble: 1.5, a_float: 0.1, anInt32: '-3', anInt64: '9007199254740993', aUint32: 4294967295, aUint64: '18446744073709551615',
    aSint32: -7, aSint64: -8, aFixed32: 9, aFixed64: '1e1', aSfixed32: -11, aSfixed64: -12.0, aBool: true, aString: 'é\n',
    someBytes: 'AAH_', colour: 5, inner: { name: 'a', inner: { name: 'b' } }, numbers: [1, '2', 3], inners: [{ name: 'x' }, {}],
    ages: { ann: 30, bob: 0 }, by_id: { '-5': { name: 'five' } }, right: { name: 'r' }, maybe: 0,
    at: new Date('2024-02-29T12:34:56.700Z'), lasts: '-1.5s', wrapped: '', shape: { a: [1, 'two', null, { b: true }] },
    any: { '@type': 'type.googleapis.com/test.v1.Text', text: 'inside' }, mask: 'fooBar,baz', colours: ['RED', 77, 'BLUE'],
    value: null, big: 5, nothing: {},
  };
  console.log(JSON.stringify(client.invoke('test.v1.Test/Say', full).message));
  const empty = client.invoke('/test.v1.Test/Say', {});
  console.log(JSON.stringify(empty.message));
  console.log(Object.keys(empty).join(), empty.status, JSON.stringify(empty.error), JSON.stringify(empty.headers), JSON.stringify(empty.trailers));
  const { message } = client.invoke('test.v1.Test/Say', { aDouble: NaN, aFloat: Infinity, value: -Infinity, inner: null });
  console.log(message.aDouble, message.aFloat, message.value);
  const none = client.invoke('test.v1.Test/Say', {}, { discardResponseMessage: true });
  console.log(none.message, none.status);
  client.asyncInvoke('test.v1.Test/Say', {}).then((answer) => console.log(answer.status === grpc.StatusOK));
}
