// k6/http: the shapes scripts see. Arguments are checked, and bytes are moved, in Rust.
//
// Every VU has its own copy of this, so it is kept small: a function per verb, one way to read a response, and no
// table that Rust can hold. The rest is a part.
import { request as send, requestAsync, field, warn, constants } from 'native:k6/http';
import * as native from 'native:k6/http';
import { evaluate, lazy, once } from 'volley/globals';

// What Rust gave out hangs on this symbol; an object that has it stands for the native thing wherever it is passed.
const NATIVE = Symbol.for('volley.native');

let part;
const seldom = () => (part ??= evaluate('k6/http/seldom')(native, { NATIVE, once, plain, respond, handler }));

// Requests -------------------------------------------------------------------------------------------------------

// Only what Rust can't see in a copy of the params: classes, and texts that objects make of themselves.
function plain(params) {
  if (params === undefined || params === null || typeof params !== 'object') return undefined;
  const { headers } = params;
  if (headers === undefined || headers === null || typeof headers !== 'object') return params;
  const texts = {};
  for (const name of Object.keys(headers)) texts[name] = String(headers[name]);
  return { ...params, headers: texts };
}

const shape = (body) => (typeof body === 'object' && body !== null ? seldom().shape(body) : body);

const withoutBody = (method, name) => (url, params, ...more) => {
  if (more.length > 0) {
    warn(`http.${name} only accepts a url and a params argument (2 arguments), but ${more.length + 2} were given`);
  }
  return new Proxy(send(method, url, undefined, params === undefined ? undefined : plain(params)), handler);
};
const withBody = (method) => (url, body, params) => respond(send(method, url, shape(body), plain(params)));
const named = (method) => (method === undefined || method === null || method === '' ? 'GET' : String(method));

// Responses ------------------------------------------------------------------------------------------------------

// A response is what Rust gave out, seen through this. Fields are read when they are asked for. Objects and bodies are
// kept once read: what a script changes in `headers` stays changed.
const handler = {
  __proto__: lazy(() => seldom().traps),
  get(native, key) {
    if (key in native) return native[key];
    if (typeof key === 'symbol') return key === NATIVE ? native : seldom().methods[key];
    const value = field(native, key);
    if (value === undefined) return seldom().methods[key];
    if (key === 'body' || (typeof value === 'object' && value !== null)) native[key] = value;
    return value;
  },
};

const respond = (native) => new Proxy(native, handler);

// Exports --------------------------------------------------------------------------------------------------------

const later = (name) => function (...list) {
  return seldom()[name](...list);
};

let get = withoutBody('GET', 'get');
let head = withoutBody('HEAD', 'head');
let post = withBody('POST');
let put = withBody('PUT');
let patch = withBody('PATCH');
let del = withBody('DELETE');
let options = withBody('OPTIONS');
let request = (method, url, body, params) => respond(send(named(method), url, shape(body), plain(params)));
let asyncRequest = (method, url, body, params) =>
  requestAsync(named(method), url, shape(body), plain(params)).then(respond);
let batch = later('batch');
let url = later('url');
let file = later('file');
let CookieJar = later('CookieJar');
let cookieJar = later('cookieJar');
let setResponseCallback = later('setResponseCallback');
let expectedStatuses = later('expectedStatuses');

const members = constants();
for (const name of Object.keys(members)) Object.defineProperty(members, name, { writable: false, configurable: false });
Object.assign(members, {
  url, CookieJar, cookieJar, file, get, head, post, put, patch, del, options, request, asyncRequest, batch,
  setResponseCallback, expectedStatuses,
});

// Named imports see what a script puts in the place of a function: they are live bindings.
function rebind(name, value) {
  switch (name) {
    case 'get': get = value; break;
    case 'head': head = value; break;
    case 'post': post = value; break;
    case 'put': put = value; break;
    case 'patch': patch = value; break;
    case 'del': del = value; break;
    case 'options': options = value; break;
    case 'request': request = value; break;
    case 'asyncRequest': asyncRequest = value; break;
    case 'cookieJar': cookieJar = value; break;
    case 'CookieJar': CookieJar = value; break;
    case 'setResponseCallback': setResponseCallback = value; break;
    case 'expectedStatuses': expectedStatuses = value; break;
    case 'url': url = value; break;
    case 'file': file = value; break;
    case 'batch': batch = value; break;
  }
}
const http = new Proxy(members, {
  set(object, key, value) {
    if (!Reflect.set(object, key, value)) return false;
    rebind(key, value);
    return true;
  },
});

export default http;
export {
  url, CookieJar, cookieJar, file, get, head, post, put, patch, del, options, request, asyncRequest, batch,
  setResponseCallback, expectedStatuses,
};
export const {
  TLS_1_0, TLS_1_1, TLS_1_2, TLS_1_3, OCSP_STATUS_GOOD, OCSP_STATUS_REVOKED, OCSP_STATUS_SERVER_FAILED,
  OCSP_STATUS_UNKNOWN, OCSP_REASON_UNSPECIFIED, OCSP_REASON_KEY_COMPROMISE, OCSP_REASON_CA_COMPROMISE,
  OCSP_REASON_AFFILIATION_CHANGED, OCSP_REASON_SUPERSEDED, OCSP_REASON_CESSATION_OF_OPERATION,
  OCSP_REASON_CERTIFICATE_HOLD, OCSP_REASON_REMOVE_FROM_CRL, OCSP_REASON_PRIVILEGE_WITHDRAWN,
  OCSP_REASON_AA_COMPROMISE,
} = members;
