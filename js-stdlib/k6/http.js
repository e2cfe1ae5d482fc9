// k6/http: the shapes scripts see. Arguments are checked, and bytes are moved, in Rust.
//
// Every VU has its own copy of all of this, so it is kept small: no function per field, no table that Rust can hold.
import {
  request, requestAsync, requestBatch, field, isField, fieldNames, assign, json, jsonError, parseUrl, newJar,
  vuJar, jarCookies, jarSet, jarDelete, jarClear, expect, setCallback, inInit, warn, file as makeFile,
} from 'native:k6/http';

// What Rust gave out hangs on this symbol; an object that has it stands for the native thing wherever it is passed.
const NATIVE = Symbol.for('volley.native');

class Url {
  constructor(name, url, clean) {
    this.name = name;
    this.url = url;
    this.clean_url = clean;
    this.clean = () => clean;
    this.getURL = () => url;
  }
}

class Native {
  constructor(native) {
    Object.defineProperty(this, NATIVE, { value: native });
  }
}

// Requests -------------------------------------------------------------------------------------------------------

const Typed = Object.getPrototypeOf(Uint8Array);

// Bodies are told from each other by their class, which Rust does not see.
function shape(body, anyView) {
  if (body === null || typeof body !== 'object') return body;
  if (body instanceof Date) return { 'volley.kind': 'time.Time' };
  if (body instanceof Map) return { 'volley.kind': '[][2]interface {}' };
  if (body instanceof Typed && (anyView || !(body instanceof Uint8Array))) {
    return { 'volley.kind': `[]${body[Symbol.toStringTag].replace(/Big|Clamped|Array/g, '').toLowerCase()}` };
  }
  return body;
}

// Only what Rust can't see in a copy of the params: classes, and texts that objects make of themselves.
function plain(params) {
  if (params === undefined || params === null || typeof params !== 'object') return undefined;
  const { headers } = params;
  if (headers === undefined || headers === null || typeof headers !== 'object') return params;
  const texts = {};
  for (const name of Object.keys(headers)) texts[name] = String(headers[name]);
  return { ...params, headers: texts };
}

function send(method, url, body, params) {
  return new Proxy(request(method, url, shape(body), plain(params)), handler);
}

const withoutBody = (method, name) => (url, params, ...more) => {
  if (more.length > 0) {
    warn(`http.${name} only accepts a url and a params argument (2 arguments), but ${more.length + 2} were given`);
  }
  return new Proxy(request(method, url, undefined, params === undefined ? undefined : plain(params)), handler);
};
const withBody = (method) => (url, body, params) => send(method, url, body, params);
const named = (method) => (method === undefined || method === null || method === '' ? 'GET' : String(method));

// Responses ------------------------------------------------------------------------------------------------------

// The data of bodies that were read whole: every call of `json()` gives the same.
const parsed = new WeakMap();

const methods = {
  json(...list) {
    const [selector] = list;
    if (list.length > 0) return parse(this, selector === undefined || selector === null ? '' : String(selector));
    if (!parsed.has(this)) parsed.set(this, parse(this, undefined));
    return parsed.get(this);
  },
};
// What a response is once it leaves the VU, in setup data: its fields without the methods.
Object.defineProperty(methods, Symbol.for('volley.data'), {
  value() {
    return Object.fromEntries(fieldNames().filter(isField).map((name) => [name, this[name]]));
  },
});
for (const name of ['html', 'clickLink', 'submitForm']) {
  methods[name] = function () {
    if (name === 'html' && this.body === null) {
      throw new GoError("the body is null so we can't transform it to HTML - this likely was because of a request error getting the response");
    }
    throw new GoError(`response.${name}() needs the module k6/html, which this version does not have yet`);
  };
}

function parse(response, selector) {
  try {
    return json(response[NATIVE], selector);
  } catch (error) {
    if (error instanceof SyntaxError) throw new GoError(jsonError(response[NATIVE]));
    throw error;
  }
}

const plainField = (value) => ({ value, writable: true, enumerable: true, configurable: true });

// A response is what Rust gave out, seen through this. Fields are read when they are asked for. Objects and bodies are
// kept once read: what a script changes in `headers` stays changed.
const handler = {
  get(native, key) {
    if (key in native) return native[key];
    if (typeof key === 'symbol') return key === NATIVE ? native : methods[key];
    const value = field(native, key);
    if (value === undefined) return methods[key];
    if (key === 'body' || (typeof value === 'object' && value !== null)) native[key] = value;
    return value;
  },
  getPrototypeOf: () => methods,
  ownKeys: () => fieldNames(),
  has: (native, key) => (typeof key === 'string' && isField(key)) || key in methods,
  getOwnPropertyDescriptor: (native, key) =>
    typeof key === 'string' && fieldNames().includes(key) ? plainField(handler.get(native, key)) : undefined,
  set: (native, key, value) => handler.defineProperty(native, key, { value }),
  defineProperty(native, key, { value }) {
    if (typeof key !== 'string' || !isField(key)) throw new TypeError(`Cannot assign to property ${String(key)} of a host object`);
    return Reflect.defineProperty(native, key, plainField(assign(key, value) ?? value));
  },
};

const respond = (native) => new Proxy(native, handler);

// Cookies --------------------------------------------------------------------------------------------------------

class Jar extends Native {
  cookiesForURL(url) {
    return jarCookies(this, String(url));
  }
  set(url, name, value, options) {
    return jarSet(this, String(url), String(name), String(value), options);
  }
  delete(url, name) {
    jarDelete(this, String(url), name === undefined || name === null ? '' : String(name));
  }
  clear(url) {
    jarClear(this, String(url));
  }
}

// Batches --------------------------------------------------------------------------------------------------------

function entry(request) {
  if (Array.isArray(request)) return [request[0], request[1], shape(request[2]), plain(request[3]), request.length];
  if (request instanceof Url || request === null || typeof request !== 'object') return request;
  return { ...request, body: shape(request.body), params: plain(request.params) };
}

function batch(requests) {
  if (inInit()) throw new GoError('Using batch in the init context is not supported');
  if (arguments.length === 0) throw new GoError('no argument was provided to http.batch()');
  if (arguments.length > 1) throw new GoError('http.batch() accepts only an array or an object of requests');
  if (requests === null || typeof requests !== 'object') return requestBatch(requests);
  const isList = Array.isArray(requests);
  const keys = Object.keys(requests);
  const answers = requestBatch(undefined, keys, keys.map((key) => entry(requests[key])));
  const results = isList ? new Array(keys.length).fill(null) : {};
  answers.forEach((answer, at) => {
    results[keys[at]] = respond(answer);
  });
  return results;
}

// Exports --------------------------------------------------------------------------------------------------------

// An ArrayBuffer is taken, a view of one is not.
const file = (data, ...rest) => makeFile(ArrayBuffer.isView(data) ? shape(data, true) : data, ...rest);

function url(parts, ...values) {
  if (!Array.isArray(parts)) {
    throw new TypeError(`could not convert function call parameter 0: could not convert ${parts} to []string`);
  }
  let [name] = parts;
  let full = name;
  for (let i = 1; i < parts.length; i++) {
    const value = values[i - 1];
    name += `\${}${parts[i]}`;
    full += (value === undefined || value === null ? '' : String(value)) + parts[i];
  }
  return new Url(name, full, parseUrl(full));
}

const members = {
  TLS_1_0: 'tls1.0', TLS_1_1: 'tls1.1', TLS_1_2: 'tls1.2', TLS_1_3: 'tls1.3',
  OCSP_STATUS_GOOD: 'good', OCSP_STATUS_REVOKED: 'revoked', OCSP_STATUS_SERVER_FAILED: 'server_failed',
  OCSP_STATUS_UNKNOWN: 'unknown', OCSP_REASON_UNSPECIFIED: 'unspecified',
  OCSP_REASON_KEY_COMPROMISE: 'key_compromise', OCSP_REASON_CA_COMPROMISE: 'ca_compromise',
  OCSP_REASON_AFFILIATION_CHANGED: 'affiliation_changed', OCSP_REASON_SUPERSEDED: 'superseded',
  OCSP_REASON_CESSATION_OF_OPERATION: 'cessation_of_operation', OCSP_REASON_CERTIFICATE_HOLD: 'certificate_hold',
  OCSP_REASON_REMOVE_FROM_CRL: 'remove_from_crl', OCSP_REASON_PRIVILEGE_WITHDRAWN: 'privilege_withdrawn',
  OCSP_REASON_AA_COMPROMISE: 'aa_compromise',
};
for (const name of Object.keys(members)) Object.defineProperty(members, name, { writable: false, configurable: false });

let CookieJar = function CookieJar() {
  return new Jar(newJar());
};
let cookieJar = () => {
  if (inInit()) throw new GoError('Making cookie jars in the init context is not supported');
  return new Jar(vuJar());
};
let get = withoutBody('GET', 'get');
let head = withoutBody('HEAD', 'head');
let post = withBody('POST');
let put = withBody('PUT');
let patch = withBody('PATCH');
let del = withBody('DELETE');
let options = withBody('OPTIONS');
let any = (method, address, body, params) => send(named(method), address, body, params);
let asyncRequest = (method, address, body, params) =>
  requestAsync(named(method), address, shape(body), plain(params)).then(respond);
let setResponseCallback = function (callback) {
  if (arguments.length === 0) return setCallback(null);
  return setCallback(callback);
};
let expectedStatuses = (...args) => new Native(expect(args));
let [liveUrl, liveFile, liveBatch] = [url, file, batch];

Object.assign(members, {
  url, CookieJar, cookieJar, file, get, head, post, put, patch, del, options, request: any, asyncRequest, batch,
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
    case 'request': any = value; break;
    case 'asyncRequest': asyncRequest = value; break;
    case 'cookieJar': cookieJar = value; break;
    case 'CookieJar': CookieJar = value; break;
    case 'setResponseCallback': setResponseCallback = value; break;
    case 'expectedStatuses': expectedStatuses = value; break;
    case 'url': liveUrl = value; break;
    case 'file': liveFile = value; break;
    case 'batch': liveBatch = value; break;
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
  liveUrl as url, CookieJar, cookieJar, liveFile as file, get, head, post, put, patch, del, options, any as request,
  asyncRequest, liveBatch as batch, setResponseCallback, expectedStatuses,
};
export const {
  TLS_1_0, TLS_1_1, TLS_1_2, TLS_1_3, OCSP_STATUS_GOOD, OCSP_STATUS_REVOKED, OCSP_STATUS_SERVER_FAILED,
  OCSP_STATUS_UNKNOWN, OCSP_REASON_UNSPECIFIED, OCSP_REASON_KEY_COMPROMISE, OCSP_REASON_CA_COMPROMISE,
  OCSP_REASON_AFFILIATION_CHANGED, OCSP_REASON_SUPERSEDED, OCSP_REASON_CESSATION_OF_OPERATION,
  OCSP_REASON_CERTIFICATE_HOLD, OCSP_REASON_REMOVE_FROM_CRL, OCSP_REASON_PRIVILEGE_WITHDRAWN,
  OCSP_REASON_AA_COMPROMISE,
} = members;
