// A script may change whatever the language has built in, one thing after the other: the modules of k6 go on as before.
// console: 0 of ... were harmful
// console: options and data are as they were
import http from 'k6/http';
import ws from 'k6/ws';
import crypto from 'k6/crypto';
import encoding from 'k6/encoding';
import exec from 'k6/execution';
import { Counter, Trend } from 'k6/metrics';
import { SharedArray } from 'k6/data';
import { ReadableStream } from 'k6/experimental/streams';
import { check, group, randomSeed } from 'k6';
import { parseHTML } from 'k6/html';
import { WebSocket } from 'k6/websockets';

const counter = new Counter('mine');
const trend = new Trend('times', true);
const shared = new SharedArray('shared', () => [{ a: 1 }, { a: 2 }]);
const bytes = new Uint8Array([1, 2, 3]).buffer;

export const options = { iterations: 1, tags: { of: 'all' } };

export function setup() {
  return { map: new Map([[1, 2]]), list: [new Date(0), new Uint8Array([65])], text: 'data' };
}

// What a script does with the modules. It uses nothing of the language but its syntax.
const uses = {
  get: () => http.get(`${__ENV.URL}/echo`, { headers: { a: 'b' }, tags: { t: '1' } }).json('method'),
  post: () => http.post(`${__ENV.URL}/echo`, { a: '1', b: '2' }).json('body'),
  put: () => http.put(`${__ENV.URL}/echo`, bytes, { headers: { 'X-One': 'two' } }).status,
  batch: () => http.batch([`${__ENV.URL}/text`, ['GET', `${__ENV.URL}/html`], { method: 'POST', url: `${__ENV.URL}/echo`, body: { k: 'v' } }])[2].json('method'),
  named: () => http.batch({ one: `${__ENV.URL}/text` }).one.status,
  headers: () => http.get(`${__ENV.URL}/html`).headers['Content-Type'],
  url: () => http.url`${__ENV.URL}/status/${200}`.name.length > 3,
  file: () => http.file('data', 'a.txt', 'text/plain').filename,
  jar: () => `${http.cookieJar().cookiesForURL('http://a.example').b}`,
  page: () => http.get(`${__ENV.URL}/html`).html().find('h1').text(),
  link: () => http.get(`${__ENV.URL}/html`).clickLink().status,
  check: () => check(1, { one: (x) => x === 1, two: true }, { tag: 'x' }),
  group: () => group('g', () => 7),
  add: () => counter.add(1, { k: 'v' }) && trend.add(2.5),
  encode: () => encoding.b64encode(bytes) + encoding.b64decode('AQID', 'std', 's').length,
  hash: () => crypto.sha256('a', 'hex') + crypto.hmac('sha1', 'k', 'd', 'base64'),
  hasher: () => {
    const hasher = crypto.createHash('md5');
    hasher.update('a');
    return hasher.digest('hex');
  },
  html: () => parseHTML('<p id=a class=b>x</p><p>y</p>').find('p').map((at, one) => `${at}${one.text()}`)[1],
  element: () => parseHTML('<a id=z href=/x>x</a>').find('a').get(0).attributes().id.value,
  each: () => {
    let text = '';
    parseHTML('<i>1</i><i>2</i>').find('i').each((at, one) => {
      text += one.innerHTML();
    });
    return text;
  },
  filter: () => parseHTML('<i>1</i><i>2</i>').find('i').filter((at) => at === 1).text(),
  exec: () => `${exec.vu.idInTest}${exec.scenario.name}${exec.test.options.tags.of}`,
  tags: () => {
    exec.vu.metrics.tags.mine = 'x';
    const value = exec.vu.metrics.tags.mine;
    delete exec.vu.metrics.tags.mine;
    return value;
  },
  shared: () => shared[1].a + shared.length,
  env: () => __ENV.URL.length > 5,
  text: () => new TextDecoder('utf-8').decode(new TextEncoder().encode('é')),
  random: () => crypto.randomBytes(4).byteLength + crypto2(),
  seed: () => randomSeed(3),
  uuid: () => globalCrypto.randomUUID().length,
  show: () => console.debug({ a: [1, { b: new Pairs() }], c: new Moment(0), d: bytes, e: new Failure('x'), f: new Bytes(1) }),
  ws: () => {
    let text = '';
    ws.connect(`${address}/ws/echo`, { headers: { a: 'b' } }, (socket) => {
      socket.on('open', () => socket.send('hi'));
      socket.on('message', (message) => {
        text += message;
        socket.close();
      });
      socket.setTimeout(() => socket.close(), 5000);
    });
    return text;
  },
};
const globalCrypto = globalThis.crypto;
const crypto2 = () => globalCrypto.getRandomValues(new Bytes(4)).length;
const [Bytes, Pairs, Moment, Failure] = [Uint8Array, Map, Date, Error];
const address = `ws${__ENV.URL.slice(4)}`;
const useNames = Object.keys(uses);
const { getOwnPropertyDescriptor, defineProperty, getOwnPropertyNames } = Object;
const own = Reflect.ownKeys;

function run() {
  let text = '';
  for (let at = 0; at < useNames.length; at++) {
    try {
      text += `${useNames[at]}=${uses[useNames[at]]()};`;
    } catch (error) {
      text += `${useNames[at]} threw ${error};`;
    }
  }
  return text;
}

const asyncUses = async () => {
  const asked = await http.asyncRequest('GET', `${__ENV.URL}/text`);
  const socket = new WebSocket(`${address}/ws/echo`);
  const said = await new Later((resolve) => {
    socket.onopen = () => socket.send('hello');
    socket.addEventListener('message', (event) => {
      socket.close();
      resolve(event.data);
    });
    socket.onerror = (event) => resolve(`${event.error}`);
  });
  const waited = await new Later((resolve) => setTimeout((a) => resolve(a), 1, 'later'));
  const digest = (await globalCrypto.subtle.digest('SHA-256', bytes)).byteLength;
  const key = await globalCrypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, true, ['encrypt']);
  const stream = new ReadableStream({
    start(controller) {
      controller.enqueue('chunk');
      controller.close();
    },
  });
  const chunk = (await stream.getReader().read()).value;
  return `${asked.status} ${said} ${waited} ${digest} ${key.type} ${chunk}`;
};
const Later = Promise;

// Everything a script can put something else in the place of.
const owners = [
  ['Array.prototype', Array.prototype], ['Array', Array], ['Object', Object], ['Function.prototype', Function.prototype],
  ['String.prototype', String.prototype], ['Number.prototype', Number.prototype], ['Number', Number], ['Math', Math], ['JSON', JSON],
  ['Map.prototype', Map.prototype], ['Set.prototype', Set.prototype], ['WeakMap.prototype', WeakMap.prototype],
  ['RegExp.prototype', RegExp.prototype], ['Promise.prototype', Promise.prototype], ['Promise', Promise], ['Reflect', Reflect],
  ['Date.prototype', Date.prototype], ['ArrayBuffer', ArrayBuffer], ['ArrayBuffer.prototype', ArrayBuffer.prototype],
  ['Uint8Array.prototype', Object.getPrototypeOf(Uint8Array.prototype)], ['Symbol', Symbol],
];
// What the language itself looks up in what a script gives and gets.
const language = ['constructor', 'toString', 'valueOf', 'toJSON', 'length', 'prototype', 'name', 'hasInstance', 'toPrimitive', 'buffer', 'byteLength', 'byteOffset'];
const broken = () => {
  throw new Failure('changed');
};
const isOurs = (key) => typeof key === 'string' && language.includes(key);
const changes = [];
for (const [path, owner] of owners) {
  for (const key of own(owner)) {
    const was = getOwnPropertyDescriptor(owner, key);
    if (isOurs(key) || !was.configurable || typeof was.value !== 'function') continue;
    // One of the engines makes template literals by it.
    if (path === 'String.prototype' && key === 'concat') continue;
    changes.push([`${path}.${String(key)}`, () => defineProperty(owner, key, { ...was, value: broken }), () => defineProperty(owner, key, was)]);
  }
}
for (const name of ['Object', 'Array', 'String', 'Number', 'Boolean', 'Map', 'Set', 'WeakMap', 'Promise', 'Proxy', 'Reflect', 'JSON', 'Math', 'Date', 'RegExp', 'Error', 'TypeError', 'Uint8Array', 'ArrayBuffer', 'DataView', 'Symbol', 'BigInt']) {
  const was = globalThis[name];
  changes.push([name, () => { globalThis[name] = undefined; }, () => { globalThis[name] = was; }]);
}
for (const name of ['get', 'set', 'value', 'enumerable', 'writable', 'configurable', 'headers', 'deleteProperty', 'ownKeys', 'apply', 'x']) {
  const value = name === 'headers' ? undefined : broken;
  changes.push([`Object.prototype.${name}`, () => { Object.prototype[name] = value; }, () => { delete Object.prototype[name]; }]);
}

export default async function (data) {
  // Parts of the modules are first used when something is changed already, the first time round.
  let harmful = 0;
  let baseline;
  let asyncBaseline;
  for (let at = 0; at < changes.length; at++) {
    const change = changes[at];
    const name = change[0];
    const make = change[1];
    const undo = change[2];
    let result;
    let later;
    make();
    try {
      result = run();
      later = await asyncUses();
    } catch (error) {
      later = `threw ${error} ${error && error.stack}`;
    }
    undo();
    if (baseline === undefined) {
      baseline = run();
      asyncBaseline = await asyncUses();
      if (baseline.includes('threw')) console.log(baseline);
      if (asyncBaseline !== '200 hello later 32 secret chunk') console.log(asyncBaseline);
    }
    if (result !== baseline || later !== asyncBaseline) {
      harmful += 1;
      if (harmful < 20) console.log(name, differences(result, baseline), later === asyncBaseline ? '' : later);
    }
  }
  console.log(`${harmful} of ${changes.length} were harmful`);
  const kept = `${data.map[0][1]} ${data.list[0]} ${data.list[1]} ${data.text}`;
  console.log(kept === '2 1970-01-01T00:00:00Z QQ== data' ? 'options and data are as they were' : kept);
}

const differences = (result, baseline) => {
  const [a, b] = [result.split(';'), baseline.split(';')];
  return a.filter((line, at) => line !== b[at]).slice(0, 4).join(';');
};
