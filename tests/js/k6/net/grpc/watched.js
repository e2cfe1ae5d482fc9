// Arguments of calls at which somebody looks are looked at in the same order, whichever way they are read; what is odd is sent, or refused, as ever.
// console: undefined: GoError GoError: request cannot be nil []
// console: null: GoError GoError: request cannot be nil []
// console: list: GoError GoError: unable to serialise request object to protocol buffer: proto: syntax error (line 1:1): unexpected token [ []
// console: list of one: GoError GoError: unable to serialise request object to protocol buffer: proto: syntax error (line 1:1): unexpected token [ []
// console: text: GoError GoError: unable to serialise request object to protocol buffer: proto: syntax error (line 1:1): unexpected token "x" []
// console: JSON text: GoError GoError: unable to serialise request object to protocol buffer: proto: syntax error (line 1:1): unexpected token "{}" []
// console: number: GoError GoError: unable to serialise request object to protocol buffer: proto: syntax error (line 1:1): unexpected token 5 []
// console: NaN: GoError GoError: unable to serialise request object to protocol buffer: proto: syntax error (line 1:1): unexpected token "NaN" []
// console: boolean: GoError GoError: unable to serialise request object to protocol buffer: proto: syntax error (line 1:1): unexpected token true []
// console: bigint: GoError GoError: unable to serialise request object to protocol buffer: proto: syntax error (line 1:1): unexpected token "5" []
// console: symbol: GoError GoError: request cannot be nil []
// console: function: GoError GoError: request cannot be nil []
// console: date: GoError GoError: unable to serialise request object to protocol buffer: proto: syntax error (line 1:1): unexpected token "1970-01-01T00:00:00.000Z" []
// console: map: {} []
// console: buffer: GoError GoError: unable to serialise request object to protocol buffer: proto: (line 1:2): unknown field "0" []
// console: wrapped number: GoError GoError: unable to serialise request object to protocol buffer: proto: syntax error (line 1:1): unexpected token 1 []
// console: wrapped text: GoError GoError: unable to serialise request object to protocol buffer: proto: syntax error (line 1:1): unexpected token "x" []
// console: expression: {} []
// console: nested: {"inner":{"name":"a","inner":{"name":"b","inner":{"name":"c","inner":{"name":"","inner":null}}}}} []
// console: lists: {"numbers":[1,2,0,3],"inners":[{"name":"x","inner":null},{"name":"","inner":null}],"colours":["RED","BLUE","BLUE",77]} []
// console: hole: GoError GoError: unable to serialise request object to protocol buffer: proto: syntax error (line 1:12): unexpected token null []
// console: undefined in list: GoError GoError: unable to serialise request object to protocol buffer: proto: syntax error (line 1:12): unexpected token null []
// console: named list: {"numbers":[1]} []
// console: list of a class: {"numbers":[1,2,3]} []
// console: oneof: {"left":"l"} []
// console: oneof twice: GoError GoError: unable to serialise request object to protocol buffer: proto: (line 1:13): error parsing "right", oneof test.v1.Everything.choice is already set []
// console: oneof null: {"right":{"name":"","inner":null}} []
// console: maps: {"ages":{"1":0,"2":1,"ann":30},"byId":{"7":{"name":"seven","inner":null},"-5":{"name":"","inner":null}}} []
// console: map of bad keys: GoError GoError: unable to serialise request object to protocol buffer: proto: (line 1:10): invalid value for int64 key: "x" []
// console: bad enum: GoError GoError: unable to serialise request object to protocol buffer: proto: (line 1:11): invalid value for enum field colour: "GREEN" []
// console: enum of 1.5: GoError GoError: unable to serialise request object to protocol buffer: proto: (line 1:11): invalid value for enum field colour: 1.5 []
// console: texts of numbers: {"anInt32":-3,"anInt64":"9007199254740993","aUint64":"18446744073709551615","aFixed64":"10"} []
// console: large numbers: {"aDouble":1e+21,"anInt64":"9007199254740992","aUint64":"10000000000000000000"} []
// console: small numbers: {"aDouble":1e-7,"aFloat":0.1,"aSint32":-7} []
// console: more numbers: {"aDouble":-1.5e+300,"aFloat":123456.79,"aSfixed64":"-12"} []
// console: -0: {} []
// console: bigints: {"aDouble":1,"anInt64":"9007199254740993"} []
// console: no numbers: {"aDouble":"NaN","aFloat":"-Infinity"} []
// console: no numbers in a list: {"value":["NaN",null,"Infinity"]} []
// console: too large: GoError GoError: unable to serialise request object to protocol buffer: proto: (line 1:12): invalid value for int32 field anInt32: 2147483648 []
// console: 1.5: GoError GoError: unable to serialise request object to protocol buffer: proto: (line 1:12): invalid value for int32 field anInt32: 1.5 []
// console: bytes: {"someBytes":"AAH/"} []
// console: bad bytes: GoError GoError: unable to serialise request object to protocol buffer: proto: (line 1:14): invalid value for bytes field someBytes: "?" []
// console: bytes of a buffer: GoError GoError: unable to serialise request object to protocol buffer: proto: syntax error (line 1:14): unexpected token { []
// console: wrappers: {"wrapped":"","big":"5"} []
// console: wrapper null: {} []
// console: any: {"any":{"@type":"type.googleapis.com/test.v1.Text","text":"inside"}} []
// console: any of any: GoError GoError: unable to serialise request object to protocol buffer: proto: (line 1:8): unable to resolve "type.googleapis.com/no.such.Type": "not found" []
// console: time: {"at":"1970-01-02T00:00:00Z","lasts":"-1.500s","mask":"fooBar,baz"} []
// console: invalid time: {} []
// console: value null: {} []
// console: values: {"shape":{"null":"null"},"value":{"1":"x","a":[1,"two",null,{"b":true}]}} []
// console: null text: {"aString":"null"} []
// console: texts: {"aString":"\"\\/\b\f\n\r\t\u0001\u001fU+2028é😀"} []
// console: half a pair: {"aString":"x�y"} []
// console: halves among names: {"ages":{"�":2}} []
// console: replacement: {"aString":"�"} []
// console: half a pair is no number: GoError GoError: unable to serialise request object to protocol buffer: proto: (line 1:12): invalid value for int32 field anInt32: "\ud83d" []
// console: replacement is no number: GoError GoError: unable to serialise request object to protocol buffer: proto: (line 1:12): invalid value for int32 field anInt32: "�" []
// console: controls are no number: GoError GoError: unable to serialise request object to protocol buffer: proto: (line 1:12): invalid value for int32 field anInt32: "\"\u0001\n" []
// console: snake case: {"anInt32":1,"aString":"x"} []
// console: both cases: GoError GoError: unable to serialise request object to protocol buffer: proto: (line 1:17): duplicate field "aString" []
// console: unknown: GoError GoError: unable to serialise request object to protocol buffer: proto: (line 1:2): unknown field "zzz" []
// console: unknown undefined: {"aBool":true} []
// console: unknown null: GoError GoError: unable to serialise request object to protocol buffer: proto: (line 1:2): unknown field "zzz" []
// console: unknown function: {"aBool":true} []
// console: unknown symbol: {"aBool":true} []
// console: unknown inside: GoError GoError: unable to serialise request object to protocol buffer: proto: (line 1:11): unknown field "zzz" []
// console: é before: GoError GoError: unable to serialise request object to protocol buffer: proto: (line 1:16): unknown field "zzz" []
// console: text for a message: GoError GoError: unable to serialise request object to protocol buffer: proto: syntax error (line 1:10): unexpected token "x" []
// console: object for a text: GoError GoError: unable to serialise request object to protocol buffer: proto: syntax error (line 1:12): unexpected token { []
// console: list for a message: GoError GoError: unable to serialise request object to protocol buffer: proto: syntax error (line 1:10): unexpected token [ []
// console: text for a boolean: GoError GoError: unable to serialise request object to protocol buffer: proto: (line 1:10): invalid value for bool field aBool: "true" []
// console: same twice: {"inner":{"name":"a","inner":null},"inners":[{"name":"a","inner":null},{"name":"a","inner":null}],"right":{"name":"a","inner":null}} []
// console: getter: {"aBool":true,"aString":"x"} [aBool]
// console: getter of null: {} [left,left]
// console: getter throws: GoError GoError: unable to normalize number strings: RangeError: boom [aBool,aBool]
// console: hidden: {"aBool":true} []
// console: proxy: {"aBool":true,"aString":"x"} [get toJSON,keys,get aBool,get aString]
// console: proxy inside: {"inner":{"name":"a","inner":null}} [get toJSON,keys,get name]
// console: proxy of a list: {"numbers":[1,2]} [get toJSON,get length,get 0,get 1]
// console: proxy of null: {} [get toJSON,keys,get left,get toJSON,keys,get left]
// console: class: {"aBool":true} []
// console: inherited: {"aString":"x"} []
// console: no prototype: {"aBool":true} []
// console: frozen: {"aBool":true} []
// console: toJSON: {"aBool":true} [toJSON '']
// console: toJSON inside: {"inner":{"name":"j","inner":null}} [toJSON 'inner']
// console: toJSON is none: GoError GoError: unable to serialise request object to protocol buffer: proto: (line 1:2): unknown field "toJSON" []
// console: toJSON inherited: {"aBool":true} [toJSON]
// console: toJSON gives nothing: GoError GoError: request cannot be nil [toJSON]
// console: toJSON throws: GoError GoError: unable to normalize number strings: cyclic reference to an object found [toJSON,toJSON]
// console: toJSON of all: {"inner":{"name":"a","inner":null}} [all,all,all,all,all,all,all,all,all,all]
// console: getter of toJSON: {"inner":{"name":"a","inner":null}} [got,got,got,got,got,got,got,got,got,got]
// console: toJSON of lists: {"numbers":[7],"inners":[7],"colours":[7]} [lists,lists,lists,lists,lists,lists,lists]
// console: cyclic: GoError GoError: unable to normalize number strings: cyclic reference to an object found []
// console: deep: 804 []
// console: too deep: GoError GoError: unable to serialise request object to protocol buffer: proto: exceeded max recursion depth []
// console: long: 50000 []
// console: params null: {"aBool":true} []
// console: params text: GoError GoError: invalid GRPC's client.invoke() parameters: unknown param: "0" []
// console: params number: {"aBool":true} []
// console: params list: {"aBool":true} []
// console: params function: {"aBool":true} []
// console: params unknown: GoError GoError: invalid GRPC's client.invoke() parameters: unknown param: "zz" []
// console: params undefined: {"aBool":true} []
// console: metadata: {"aBool":true} []
// console: metadata of numbers: GoError GoError: invalid GRPC's client.invoke() parameters: invalid metadata param: "a" value must be a string []
// console: metadata null: {"aBool":true} []
// console: metadata text for bytes: GoError GoError: invalid GRPC's client.invoke() parameters: invalid metadata param: "a-bin" value must be binary []
// console: tags: {"aBool":true} []
// console: tags of objects: GoError GoError: invalid GRPC's client.invoke() parameters: metric tags: invalid value for metric tag 'a': only String, Boolean and Number types are accepted as a metric tag values []
// console: timeout: {"aBool":true} []
// console: timeout number: {"aBool":true} []
// console: timeout wrong: GoError GoError: invalid GRPC's client.invoke() parameters: invalid timeout value: time: invalid duration "x" []
// console: discarded: [0,null,null] []
// console: discarded by a text: [0,null,null] []
// console: params getter: {"aBool":true} [timeout]
// console: params proxy: {"aBool":true} [get Symbol(volley.native),keys,get timeout]
// console: params class: {"aBool":true} []
// console: method undefined: GoError GoError: method to invoke cannot be empty []
// console: method null: GoError GoError: method to invoke cannot be empty []
// console: method number: GoError GoError: method "/5" not found in file descriptors []
// console: method symbol: GoError GoError: method "/Symbol(s)" not found in file descriptors []
// console: method object: {"aBool":true} [method]
// console: method throws: RangeError RangeError: boom []
// console: method with a slash: {"aBool":true} []
// console: order: 0 [aBool,method,timeout]
// console: nothing: GoError GoError: method to invoke cannot be empty []
// console: method alone: GoError GoError: request cannot be nil []
// console: no client: TypeError TypeError: this method was called on an object of another kind []
// console: another: TypeError TypeError: this method was called on an object of another kind []
// console: a number: TypeError TypeError: this method was called on an object of another kind []
// console: proxy of a client: {"aBool":true} [get Symbol(volley.native)]
// console: heir of a client: {"aBool":true} []
// console: class: GoError GoError: no gRPC connection, you must call connect first []
// console: names: ["invoke",3,"asyncInvoke",3] []
// console: member: [true,false,true,[],false] []
// console: new: TypeError TypeError: invoke is not a constructor []
// console: answer: 830 []
// console: later: {"aBool":true,"numbers":[1,2]} []
// console: later getter: {"aBool":true} [aBool]
// console: later nothing: object request cannot be nil []
// console: later cyclic: object unable to normalize number strings: cyclic reference to an object found []
// console: later unknown: object unable to serialise request object to protocol buffer: proto: (line 1:2): unknown field "zzz" []
// console: later params: object invalid GRPC's client.invoke() parameters: unknown param: "zz" []
// console: later method: object method "/a/b" not found in file descriptors []
// console: later throws: object RangeError: boom []
import grpc from 'k6/net/grpc';

const client = new grpc.Client();
client.load(['data'], 'test.proto');
const METHOD = 'test.v1.Test/Say';
let seen = [];

const show = (name, value) => console.log(`${name}: ${value} [${seen.join()}]`.replace('\u2028', 'U+2028'));
function attempt(name, f) {
  seen = [];
  try {
    show(name, f());
  } catch (error) {
    show(name, `${error?.name} ${error}`);
  }
}
// What of the answer is not as in the answer to nothing.
let nothing;
function told(answer) {
  if (answer.error !== null || answer.message === null) return JSON.stringify([answer.status, answer.error, answer.message]);
  const changed = {};
  for (const key of Object.keys(answer.message)) {
    if (JSON.stringify(answer.message[key]) !== nothing[key]) changed[key] = answer.message[key];
  }
  return JSON.stringify(changed);
}
const say = (name, request, params) => attempt(name, () => told(client.invoke(METHOD, request, params)));
const watched = (object) =>
  new Proxy(object, {
    get: (target, key) => (seen.push(`get ${String(key)}`), target[key]),
    ownKeys: (target) => (seen.push('keys'), Reflect.ownKeys(target)),
  });

export default async function () {
  client.connect(__ENV.GRPC, { plaintext: true });
  nothing = {};
  const { message } = client.invoke(METHOD, {});
  for (const key of Object.keys(message)) nothing[key] = JSON.stringify(message[key]);

  say('undefined', undefined);
  say('null', null);
  say('list', []);
  say('list of one', [{}]);
  say('text', 'x');
  say('JSON text', '{}');
  say('number', 5);
  say('NaN', NaN);
  say('boolean', true);
  say('bigint', 5n);
  say('symbol', Symbol('s'));
  say('function', () => {});
  say('date', new Date(0));
  say('map', new Map([['aBool', true]]));
  say('buffer', new Uint8Array([1, 2]));
  say('wrapped number', new Number(1));
  say('wrapped text', new String('x'));
  say('expression', /x/);

  say('nested', { inner: { name: 'a', inner: { name: 'b', inner: { name: 'c', inner: {} } } } });
  say('lists', { numbers: [1, '2', -0, 3e0], inners: [{ name: 'x' }, {}], colours: ['RED', 5, 'BLUE', 77] });
  say('hole', { inners: [, { name: 'x' }] });
  say('undefined in list', { inners: [undefined] });
  say('named list', { numbers: Object.assign([1], { more: 2 }) });
  say('list of a class', { numbers: new (class extends Array {})(1, 2, 3) });
  say('oneof', { left: 'l' });
  say('oneof twice', { left: 'l', right: {} });
  say('oneof null', { left: null, right: {} });
  say('maps', { ages: { ann: 30, 2: 1, 1: 0 }, byId: { 7: { name: 'seven' }, '-5': {} } });
  say('map of bad keys', { byId: { x: {} } });
  say('bad enum', { colour: 'GREEN' });
  say('enum of 1.5', { colour: 1.5 });
  say('texts of numbers', { anInt64: '9007199254740993', aUint64: '18446744073709551615', aFixed64: '1e1', anInt32: '-3' });
  say('large numbers', { anInt64: 2 ** 53, aDouble: 1e21, aUint64: 1e19 });
  say('small numbers', { aDouble: 1e-7, aFloat: 0.1, aSint32: -7 });
  say('more numbers', { aDouble: -1.5e300, aFloat: 123456.789, aSfixed64: -12.0 });
  say('-0', { aDouble: -0 });
  say('bigints', { anInt64: 9007199254740993n, aDouble: 1n });
  say('no numbers', { aDouble: NaN, aFloat: -Infinity });
  say('no numbers in a list', { value: [NaN, null, Infinity] });
  say('too large', { anInt32: 2 ** 31 });
  say('1.5', { anInt32: 1.5 });
  say('bytes', { someBytes: 'AAH_' });
  say('bad bytes', { someBytes: '?' });
  say('bytes of a buffer', { someBytes: new Uint8Array([1]) });
  say('wrappers', { wrapped: '', big: 5 });
  say('wrapper null', { wrapped: null });
  say('any', { any: { '@type': 'type.googleapis.com/test.v1.Text', text: 'inside' } });
  say('any of any', { any: { '@type': 'type.googleapis.com/no.such.Type', text: 'inside' } });
  say('time', { at: new Date(86400000), lasts: '-1.5s', mask: 'fooBar,baz' });
  say('invalid time', { at: new Date(NaN) });
  say('value null', { value: null });
  say('values', { value: { a: [1, 'two', null, { b: true }], 1: 'x' }, shape: { null: 'null' } });
  say('null text', { aString: 'null' });
  say('texts', { aString: '"\\/\b\f\n\r\t\u0001\u001f\u007f\u2028é😀' });
  say('half a pair', { aString: 'x\ud83dy' });
  say('halves among names', { ages: { '\ud83d': 1, '\ude00': 2 } });
  say('replacement', { aString: '\ufffd' });
  say('half a pair is no number', { anInt32: '\ud83d' });
  say('replacement is no number', { anInt32: '\ufffd' });
  say('controls are no number', { anInt32: '"\u0001\n' });
  say('snake case', { a_string: 'x', an_int32: 1 });
  say('both cases', { a_string: 'x', aString: 'y' });
  say('unknown', { zzz: 1 });
  say('unknown undefined', { zzz: undefined, aBool: true });
  say('unknown null', { zzz: null });
  say('unknown function', { zzz: () => {}, aBool: true });
  say('unknown symbol', { zzz: Symbol('s'), [Symbol('t')]: 1, aBool: true });
  say('unknown inside', { inner: { zzz: 1 } });
  say('é before', { aString: 'é', zzz: 1 });
  say('text for a message', { inner: 'x' });
  say('object for a text', { aString: {} });
  say('list for a message', { inner: [] });
  say('text for a boolean', { aBool: 'true' });
  say('same twice', (() => { const inner = { name: 'a' }; return { inner, right: inner, inners: [inner, inner] }; })());

  say('getter', { get aBool() { seen.push('aBool'); return true; }, aString: 'x' });
  say('getter of null', { get left() { seen.push('left'); return null; } });
  say('getter throws', { get aBool() { seen.push('aBool'); throw new RangeError('boom'); } });
  say('hidden', Object.defineProperty({ aBool: true }, 'zzz', { value: 1 }));
  say('proxy', watched({ aBool: true, aString: 'x' }));
  say('proxy inside', { inner: watched({ name: 'a' }) });
  say('proxy of a list', { numbers: watched([1, 2]) });
  say('proxy of null', watched({ left: null }));
  say('class', new (class { constructor() { this.aBool = true; } get aString() { return 'x'; } })());
  say('inherited', Object.create({ aBool: true }, { aString: { value: 'x', enumerable: true } }));
  say('no prototype', Object.assign(Object.create(null), { aBool: true }));
  say('frozen', Object.freeze({ aBool: true }));
  say('toJSON', { zzz: 1, toJSON(key) { seen.push(`toJSON '${key}'`); return { aBool: true }; } });
  say('toJSON inside', { inner: { toJSON(key) { seen.push(`toJSON '${key}'`); return { name: 'j' }; } } });
  say('toJSON is none', { toJSON: 1 });
  say('toJSON inherited', new (class { toJSON() { seen.push('toJSON'); return { aBool: true }; } })());
  say('toJSON gives nothing', { toJSON() { seen.push('toJSON'); } });
  say('toJSON throws', { toJSON() { seen.push('toJSON'); throw new TypeError('boom'); } });
  Object.prototype.toJSON = function () { seen.push('all'); return this; };
  say('toJSON of all', { inner: { name: 'a' } });
  delete Object.prototype.toJSON;
  Object.defineProperty(Object.prototype, 'toJSON', { get() { seen.push('got'); }, configurable: true });
  say('getter of toJSON', { inner: { name: 'a' } });
  delete Object.prototype.toJSON;
  Array.prototype.toJSON = function () { seen.push('lists'); return [7]; };
  say('toJSON of lists', { numbers: [1] });
  delete Array.prototype.toJSON;
  const cyclic = {};
  cyclic.inner = cyclic;
  say('cyclic', cyclic);
  let deep = {};
  for (let at = 0; at < 40; at++) deep = { inner: deep };
  attempt('deep', () => JSON.stringify(client.invoke(METHOD, deep).message.inner).length);
  for (let at = 0; at < 200; at++) deep = { inner: deep };
  say('too deep', deep);
  attempt('long', () => client.invoke(METHOD, { aString: 'é'.repeat(50000), numbers: [1] }).message.aString.length);

  const call = (name, params) => say(name, { aBool: true }, params);
  call('params null', null);
  call('params text', 'x');
  call('params number', 1);
  call('params list', []);
  call('params function', () => {});
  call('params unknown', { zz: 1 });
  call('params undefined', { metadata: undefined });
  call('metadata', { metadata: { a: 'b', 'c-bin': new Uint8Array([1, 2]).buffer } });
  call('metadata of numbers', { metadata: { a: 1 } });
  call('metadata null', { metadata: null });
  call('metadata text for bytes', { metadata: { 'a-bin': 'x' } });
  call('tags', { tags: { a: 'b', c: 1, name: 'n' } });
  call('tags of objects', { tags: { a: {} } });
  call('timeout', { timeout: '30s' });
  call('timeout number', { timeout: 30000 });
  call('timeout wrong', { timeout: 'x' });
  call('discarded', { discardResponseMessage: true });
  call('discarded by a text', { discardResponseMessage: 'x' });
  call('params getter', { get timeout() { seen.push('timeout'); return '30s'; } });
  call('params proxy', watched({ timeout: '30s' }));
  call('params class', new (class { constructor() { this.timeout = '30s'; } })());

  const by = (name, method) => attempt(name, () => told(client.invoke(method, { aBool: true })));
  by('method undefined', undefined);
  by('method null', null);
  by('method number', 5);
  by('method symbol', Symbol('s'));
  by('method object', { toString: () => (seen.push('method'), METHOD) });
  by('method throws', { toString() { throw new RangeError('boom'); } });
  by('method with a slash', `/${METHOD}`);
  attempt('order', () => client.invoke(
    { toString: () => (seen.push('method'), METHOD) },
    { get aBool() { seen.push('aBool'); return true; } },
    { get timeout() { seen.push('timeout'); return '1m'; } },
  ).status);
  attempt('nothing', () => client.invoke());
  attempt('method alone', () => client.invoke(METHOD));

  const { invoke, asyncInvoke } = client;
  attempt('no client', () => invoke(METHOD, {}));
  attempt('another', () => invoke.call({}, METHOD, {}));
  attempt('a number', () => invoke.call(5, METHOD, {}));
  attempt('proxy of a client', () => told(invoke.call(watched(client), METHOD, { aBool: true })));
  attempt('heir of a client', () => told(invoke.call(Object.create(client), METHOD, { aBool: true })));
  class Own extends grpc.Client {
    invoke(method, request) {
      return super.invoke(method, { ...request, aString: 'own' });
    }
  }
  attempt('class', () => new Own().invoke(METHOD, {}));
  attempt('names', () => JSON.stringify([invoke.name, invoke.length, asyncInvoke.name, asyncInvoke.length]));
  attempt('member', () => {
    const { writable, enumerable, configurable } = Object.getOwnPropertyDescriptor(grpc.Client.prototype, 'invoke');
    return JSON.stringify([writable, enumerable, configurable, Object.keys(client), 'prototype' in invoke]);
  });
  attempt('new', () => new invoke(METHOD, {}));
  attempt('answer', () => JSON.stringify(Object.getOwnPropertyDescriptors(client.invoke(METHOD, {}))).length);

  seen = [];
  const later = async (name, ...args) => {
    seen = [];
    try {
      show(name, told(await client.asyncInvoke(...args)));
    } catch (error) {
      show(name, `${typeof error} ${error}`);
    }
  };
  await later('later', METHOD, { aBool: true, numbers: [1, 2] });
  await later('later getter', METHOD, { get aBool() { seen.push('aBool'); return true; } });
  await later('later nothing', METHOD, undefined);
  await later('later cyclic', METHOD, cyclic);
  await later('later unknown', METHOD, { zzz: 1 });
  await later('later params', METHOD, {}, { zz: 1 });
  await later('later method', 'a/b', {});
  await later('later throws', METHOD, {}, { get timeout() { throw new RangeError('boom'); } });
}
