// Arguments at which somebody looks are looked at in the same order, whichever way they are read.
// console: getter: true [a]
// console: proxy: false [keys, get a, get b, get c]
// console: later ones: false []
// console: hidden: true []
// console: list: true []
// console: order: true [1, 2, b]
// console: text: true []
// console: number: true []
// console: none: GoError GoError: no checks provided to `check` []
// console: null: TypeError TypeError: Cannot convert undefined or null to object []
// console: nothing: GoError GoError: no checks provided to `check` []
// console: function: true []
// console: throws: RangeError RangeError: boom []
// console: throws no error: ["caught",7] []
// console: async: GoError GoError: the built-in check() does not support async functions as arguments. Use the JavaScript utils library as a replacement. Refer to https://grafana.com/docs/k6/latest/javascript-api/jslib/utils/check/ for more info []
// console: generator: true []
// console: separator: GoError GoError: group and check names may not contain '::' []
// console: this: true [undefined]
// console: arguments: true [1]
// console: tags: true [t, t]
// console: bad tags: GoError GoError: invalid value for metric tag 't': only String, Boolean and Number types are accepted as a metric tag values []
// console: tags throw: Error Error: tag []
// console: empty: true []
// console: values: [false,false,true,false,true,false] []
// console: constructor: true [constructor, constructor]
// console: group: 5 []
// console: group this: ["undefined",0] []
// console: group number: 6 []
// console: group object: 6 []
// console: group symbol: 6 []
// console: group nothing: 6 []
// console: group no callback: GoError GoError: group() requires a callback as a second argument []
// console: group async: GoError GoError: group() does not support async functions as arguments, unless the feature async-metric-context is enabled with --features async-metric-context or K6_FEATURES=async-metric-context, please see https://grafana.com/docs/k6/latest/javascript-api/k6/group/ for more info []
// console: group separator: GoError GoError: group and check names may not contain '::' []
// console: group throws: TypeError TypeError: t []
// console: group nested: true []
// console: add: [true,true,true,true,false,false,false,false,true,true] []
// console: add bigint: TypeError TypeError: Cannot convert a BigInt value to a number []
// console: add symbol: false []
// console: add tags: [true,true,true,true,true] []
// console: add getters: true [a]
// console: add proxy: true [get Symbol(volley.native), keys, get a, get b]
// console: add bad tags: GoError GoError: cannot add tags for the 'counted' custom metric: invalid value for metric tag 'a': only String, Boolean and Number types are accepted as a metric tag values []
// console: add deep tags: GoError GoError: cannot add tags for the 'counted' custom metric: invalid value for metric tag 'a': only String, Boolean and Number types are accepted as a metric tag values []
// console: add class: true []
// console: names: ["check",1,"group",2,"addSample",0,"",2,"",4,"",0] []
// console: headers: [200,"GET",["1"],""] []
// console: headers of numbers: [200,"GET",["1"],""] []
// console: headers getter: [200,"GET",["3"],""] [X-A]
// console: headers proxy: [200,"GET",["4"],""] [keys, get X-A]
// console: headers class: [200,"GET",["5"],""] []
// console: headers list: [200,"GET",null,""] []
// console: params getter: [200,"GET",["6"],""] [headers]
// console: params proxy: [200,"GET",["7"],""] [keys, get headers, get tags]
// console: params text: [200,"GET",null,""] []
// console: params null: [200,"GET",null,""] []
// console: params function: [200,"GET",null,""] []
// console: tags object: "invalid HTTP request metric tags: invalid value for metric tag 'a': only String, Boolean and Number types are accepted as a metric tag values" []
// console: tags null: "invalid HTTP request metric tags: invalid value for metric tag 'a': only String, Boolean and Number types are accepted as a metric tag values" []
// console: timeout: "invalid timeout value: unable to use type bool as a duration value" []
// console: redirects: [200,"GET",null,""] []
// console: response type: "odd does not belong to ResponseType values" []
// console: jar: [200,"GET",["8"],""] []
// console: cookies: {"a":[{"name":"a","value":"b","replace":false}]} []
// console: callback: [200,"GET",null,""] []
// console: undefined: "invalid timeout value: unable to use type <nil> as a duration value" []
// console: too many: [200,"GET",null,""] []
// console: template: [200,"GET",null,""] []
// console: no text: "invalid URL: '#map[toString:]'" []
// console: post: [[200,"POST",["9"],"text"],[200,"POST",null,"a=b"],[200,"POST",null,""],[200,"POST",null,""],"unknown request body type int64",[200,"PATCH",null,""],[200,"DELETE",null,"x"],[200,"OPTIONS",null,"x"],[200,"HEAD",null,""]] []
// console: batch: [[200,"GET"],[200,"POST"],[200,"GET"]] []
// console: batch empty: [] []
// console: batch hole: [[200,"GET"],null,[200,"GET"]] []
// console: batch extra: [[200,"GET"],null] []
// console: batch object: {"a":[200,"GET"],"b":[200,"PUT"]} []
// console: batch objects: [[200,"PUT"],[200,"GET"]] []
// console: batch getter: [[200,"GET"]] [0]
// console: batch proxy: [[200,"GET"]] [keys, get 0]
// console: batch short: [[0,"invalid batch request '[]interface {}{\"GET\"}'"]] []
// console: batch method: [[0,"invalid method type '5'"]] []
// console: batch null: [[0,"invalid batch request '<nil>'"]] []
// console: batch none: GoError GoError: no argument was provided to http.batch() []
// console: batch two: GoError GoError: http.batch() accepts only an array or an object of requests []
// console: batch text: GoError GoError: invalid http.batch() argument type string []
// console: batch is a list: [true,["0"],1] []
// console: fields: ["remote_ip","remote_port","url","status","status_text","proto","headers","cookies","body","timings","tls_version","tls_cipher_suite","ocsp","error","error_code","request","clickLink","html","json","submitForm"] []
// console: own: [["value",200],["writable",true],["enumerable",true],["configurable",true]] []
// console: unknown: [null,false,true,true,null,null,"function",true] []
// console: kept: ["x",1,true,true] []
// console: timings: ["duration","blocked","looking_up","connecting","tls_handshaking","sending","waiting","receiving","mine"] []
// console: assigned: [205,"{\"a\": [1, {\"b\": 2}]}"] []
// console: json: [true,"json",0,"function","function"] []
// console: json whole: "GET" []
// console: json path: undefined []
// console: json odd: [null,null] []
// console: json same: [true,true,null] []
// console: json number: undefined []
import { check, group } from 'k6';
import http from 'k6/http';
import { Counter } from 'k6/metrics';

const URL = `${__ENV.URL}/echo`;
const counted = new Counter('counted');
const seen = [];
const told = (name, value) => ({ enumerable: true, configurable: true, get() { seen.push(name); return value; } });
const watched = (object) => new Proxy(object, {
  get(target, key) { seen.push(`get ${String(key)}`); return target[key]; },
  ownKeys(target) { seen.push('keys'); return Reflect.ownKeys(target); },
});
const show = (name, work) => {
  seen.length = 0;
  let result;
  try {
    result = JSON.stringify(work());
  } catch (error) {
    result = `${error.constructor?.name} ${error.name}: ${error.message}`;
  }
  console.log(`${name}: ${result} [${seen.join(', ')}]`);
};
const sent = (res) => (res.request === null ? res.error : [res.status, res.request.method, res.request.headers['X-A'], res.request.body]);

export default function () {
  // Checks.
  show('getter', () => check(1, Object.defineProperty({}, 'a', told('a', true))));
  show('proxy', () => check(1, watched({ a: () => true, b: (x) => x === 1, c: 0 })));
  show('later ones', () => { const set = { a() { delete set.b; set.c = () => false; return true; }, b: () => true }; return check(1, set); });
  show('hidden', () => check(1, Object.defineProperty({ a: true, [Symbol('s')]: false }, 'b', { value: false })));
  show('list', () => check(1, [true, () => true]));
  show('order', () => check(1, { b: () => seen.push('b'), 2: () => seen.push('2'), 1: () => seen.push('1') }));
  show('text', () => check(1, 'ab'));
  show('number', () => check(1, 5));
  show('none', () => check(1));
  show('null', () => check(1, null));
  show('nothing', () => check());
  show('function', () => check(1, Object.assign(() => 1, { a: () => true })));
  show('throws', () => check(1, { a() { throw new RangeError('boom'); }, b: () => true }));
  show('throws no error', () => { try { check(1, { a() { throw 7; } }); } catch (error) { return ['caught', error]; } });
  show('async', () => check(1, { a: async () => true }));
  show('generator', () => check(1, { *a() { yield 1; } }));
  show('separator', () => check(1, { 'a::b': true }));
  show('this', () => check(1, { a() { seen.push(typeof this); return true; } }));
  show('arguments', () => check(1, { a(...list) { seen.push(list.length); return true; } }));
  show('tags', () => check(1, { a: true, b: true }, { get t() { seen.push('t'); return 'x'; } }));
  show('bad tags', () => check(1, { a: true }, { t: {} }));
  show('tags throw', () => check(1, { a: true }, { get t() { throw new Error('tag'); } }));
  show('empty', () => check(1, {}));
  show('values', () => [check(1, { a: '' }), check(1, { a: NaN }), check(1, { a: 'x' }), check(1, { a: null }), check(1, { a: {} }), check(1, { a: 0n })]);
  show('constructor', () => { const f = () => true; Object.defineProperty(f, 'constructor', told('constructor', 7)); return check(1, { a: f }); });

  // Groups.
  show('group', () => group('g', () => 5));
  show('group this', () => group('g', function (...list) { return [typeof this, list.length]; }));
  show('group number', () => group(5, () => 6));
  show('group object', () => group({ toString: () => 'o' }, () => 6));
  show('group symbol', () => group(Symbol('s'), () => 6));
  show('group nothing', () => group(undefined, () => 6));
  show('group no callback', () => group('g'));
  show('group async', () => group('g', async () => 1));
  show('group separator', () => group('a::b', () => 1));
  show('group throws', () => group('g', () => { throw new TypeError('t'); }));
  show('group nested', () => group('a', () => group('b', () => check(1, { a: true }))));

  // Metrics.
  show('add', () => [counted.add(1), counted.add(true), counted.add(false), counted.add('2'), counted.add(null), counted.add(), counted.add(NaN), counted.add({}), counted.add([]), counted.add({ valueOf: () => 3 })]);
  show('add bigint', () => counted.add(1n));
  show('add symbol', () => counted.add(Symbol('s')));
  show('add tags', () => [counted.add(1, { a: 1, b: true, c: 'x' }), counted.add(1, null), counted.add(1, 'text'), counted.add(1, ['x']), counted.add(1, 5)]);
  show('add getters', () => counted.add(1, Object.defineProperty({}, 'a', told('a', 'x'))));
  show('add proxy', () => counted.add(1, watched({ a: 'x', b: 'y' })));
  show('add bad tags', () => counted.add(1, { a: null }));
  show('add deep tags', () => counted.add(1, { a: { b: { c: 1 } } }));
  show('add class', () => counted.add(1, new (class { constructor() { this.a = 'x'; } get b() { return 'no'; } })()));
  show('names', () => [check.name, check.length, group.name, group.length, counted.add.name, counted.add.length, http.get.name, http.get.length, http.post.name, http.post.length, http.batch.name, http.batch.length]);

  // Requests.
  show('headers', () => sent(http.get(URL, { headers: { 'x-a': '1' } })));
  show('headers of numbers', () => sent(http.get(URL, { headers: { 'x-a': 1 } })));
  show('headers getter', () => sent(http.get(URL, { headers: Object.defineProperty({}, 'X-A', told('X-A', '3')) })));
  show('headers proxy', () => sent(http.get(URL, { headers: watched({ 'X-A': '4' }) })));
  show('headers class', () => sent(http.get(URL, { headers: new (class { 'X-A' = '5'; })() })));
  show('headers list', () => sent(http.get(URL, { headers: ['X-A'] })));
  show('params getter', () => sent(http.get(URL, Object.defineProperty({}, 'headers', told('headers', { 'X-A': '6' })))));
  show('params proxy', () => sent(http.get(URL, watched({ headers: { 'X-A': '7' }, tags: { a: 'b' } }))));
  show('params text', () => sent(http.get(URL, 'text')));
  show('params null', () => sent(http.get(URL, null)));
  show('params function', () => sent(http.get(URL, () => 1)));
  show('tags object', () => sent(http.get(URL, { tags: { a: {} } })));
  show('tags null', () => sent(http.get(URL, { tags: { a: null } })));
  show('timeout', () => sent(http.get(URL, { timeout: true })));
  show('redirects', () => sent(http.get(URL, { redirects: '3', throw: 0, auth: 'none', compression: '', responseType: 'text' })));
  show('response type', () => sent(http.get(URL, { responseType: 'odd' })));
  show('jar', () => sent(http.get(URL, { jar: http.cookieJar(), headers: { 'X-A': '8' } })));
  show('cookies', () => http.get(URL, { cookies: { a: 'b' } }).request.cookies);
  show('callback', () => sent(http.get(URL, { responseCallback: null })));
  show('undefined', () => sent(http.get(URL, { headers: undefined, tags: undefined, timeout: undefined })));
  show('too many', () => sent(http.get(URL, {}, 3)));
  show('template', () => sent(http.get(http.url`${URL}?a=${1}`)));
  show('no text', () => sent(http.get({ toString: () => URL })));
  show('post', () => [sent(http.post(URL, 'text', { headers: { 'X-A': '9' } })), sent(http.post(URL, { a: 'b' })), sent(http.post(URL)), sent(http.post(URL, null)), sent(http.put(URL, 5)), sent(http.patch(URL, '')), sent(http.del(URL, 'x')), sent(http.options(URL, 'x')), sent(http.head(URL))]);

  // Batches.
  const statuses = (answers) => JSON.parse(JSON.stringify(answers, (key, value) => (value && value.status !== undefined ? [value.status, value.request === null ? value.error : value.request.method] : value)));
  show('batch', () => statuses(http.batch([['GET', URL], ['POST', URL, 'x', { headers: { 'X-A': '1' } }], URL])));
  show('batch empty', () => statuses(http.batch([])));
  show('batch hole', () => statuses(http.batch([['GET', URL], , ['GET', URL]])));
  show('batch extra', () => statuses(http.batch(Object.assign([['GET', URL]], { more: ['POST', URL] }))));
  show('batch object', () => statuses(http.batch({ a: ['GET', URL], b: { method: 'PUT', url: URL } })));
  show('batch objects', () => statuses(http.batch([{ method: 'PUT', url: URL }, { url: URL }])));
  show('batch getter', () => statuses(http.batch(Object.defineProperty([0], 0, told('0', ['GET', URL])))));
  show('batch proxy', () => statuses(http.batch(watched([['GET', URL]]))));
  show('batch short', () => statuses(http.batch([['GET']])));
  show('batch method', () => statuses(http.batch([[5, URL]])));
  show('batch null', () => statuses(http.batch([null])));
  show('batch none', () => http.batch());
  show('batch two', () => http.batch([], 1));
  show('batch text', () => http.batch('x'));
  show('batch is a list', () => { const list = http.batch([['GET', URL]]); return [Array.isArray(list), Object.keys(list), list.length]; });

  // Responses.
  const res = http.get(URL);
  show('fields', () => Object.keys(res));
  show('own', () => Object.entries(Object.getOwnPropertyDescriptor(res, 'status')));
  show('unknown', () => [res.nothing, 'nothing' in res, 'status' in res, 'json' in res, res[Symbol.toStringTag], res[Symbol.iterator], typeof res.json, res.constructor === Object]);
  show('kept', () => { res.headers.New = 'x'; res.timings.mine = 1; return [res.headers.New, res.timings.mine, res.headers === res.headers, res.cookies === res.cookies]; });
  show('timings', () => Object.keys(res.timings));
  show('assigned', () => { res.status = '205.7'; res.body = '{"a": [1, {"b": 2}]}'; return [res.status, res.body]; });
  show('json', () => [res.json === res.json, res.json.name, res.json.length, typeof res.html, typeof res.submitForm]);
  show('json whole', () => res.json().method);
  show('json path', () => res.json('a.b'));
  show('json odd', () => [res.json(undefined), res.json(null)]);
  const data = http.get(URL);
  show('json same', () => [data.json() === data.json(), data.json('method') === 'GET', data.json('nothing')]);
  show('json number', () => data.json(5));
}
