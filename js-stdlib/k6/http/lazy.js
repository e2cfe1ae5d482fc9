// What few scripts need of k6/http: batches, cookie jars, files, URL templates, and everything that can be done to a
// response besides reading a field. An expression, called with the native half and what it shares with http.js.
((native, { NATIVE, bind, once, handler, call, flatness, primordials }) => {
const {
  ArrayBufferIsView, ArrayIsArray, Date, Error, Map, Number, ObjectDefineProperty, ObjectKeys, PromisePrototypeThen, Proxy,
  ReflectApply, String, StringPrototypeIndexOf, StringPrototypeSlice, StringPrototypeToLowerCase,
  StringPrototypeToUpperCase, SyntaxError, TypeError, Uint8Array,
} = primordials;
const { SymbolToStringTag: toStringTag } = primordials;
const { isField, fieldNames, assign, json, jsonError } = native;

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
  constructor(thing) {
    ObjectDefineProperty(this, NATIVE, { __proto__: null, value: thing });
  }
}

// Requests -------------------------------------------------------------------------------------------------------

const Typed = primordials.ObjectGetPrototypeOf(Uint8Array);

// The kind of a view's elements, as Go calls it: `Float64Array` holds `float64`.
function elements(view) {
  const name = view[toStringTag];
  const from = call(StringPrototypeIndexOf, name, 'Big') === 0 ? 3 : 0;
  const end = call(StringPrototypeIndexOf, name, name === 'Uint8ClampedArray' ? 'Clamped' : 'Array');
  return call(StringPrototypeToLowerCase, call(StringPrototypeSlice, name, from, end));
}

// Bodies are distinguished by their class, which Rust does not see.
function shape(body, anyView) {
  if (body === null || typeof body !== 'object') return body;
  if (body instanceof Date) return { 'volley.kind': 'time.Time' };
  if (body instanceof Map) return { 'volley.kind': '[][2]interface {}' };
  if (body instanceof Typed && (anyView || !(body instanceof Uint8Array))) {
    return { 'volley.kind': `[]${elements(body)}` };
  }
  return body;
}

const isObject = (value) => value !== null && typeof value === 'object';

// Objects of which no member means anything stand for what they are: Rust gets none that leads back to itself.
const emptied = (value) => (isObject(value) && value[NATIVE] === undefined ? {} : value);

function eachOf(object, convert) {
  const result = {};
  const names = ObjectKeys(object);
  for (let at = 0; at < names.length; at++) result[names[at]] = convert(object[names[at]]);
  return result;
}

const cookie = (value) => {
  if (!isObject(value)) return value;
  return ArrayIsArray(value) ? String(value) : { value: emptied(value.value), replace: emptied(value.replace) };
};

// What is read of the params, and how: nothing else is looked at. What objects make of themselves is said here, as Rust
// can't see it. What Rust can read as it is stays the object it is.
const readers = {
  __proto__: null,
  headers: (value) => (flatness(value) === 2 ? value : isObject(value) ? eachOf(value, String) : undefined),
  cookies: (value) => (isObject(value) ? eachOf(value, cookie) : undefined),
  tags: (value) => (flatness(value) > 0 || !isObject(value) || ArrayIsArray(value) ? value : eachOf(value, emptied)),
  jar: (value) => (isObject(value) && value[NATIVE] !== undefined ? value : undefined),
  auth: emptied,
  timeout: (value) => emptied(value ?? null),
  redirects: (value) => (isObject(value) ? Number(value) : value),
  responseType: String,
  responseCallback: emptied,
  compression: String,
  throw: emptied,
  protocol: emptied,
};

// Names that mean nothing are looked at a few times only: most come again with each iteration.
let looks = 32;
function unknownParam(name) {
  if (looks === 0) return;
  looks--;
  native.warnOfParam(name, new Error().stack);
}

function plain(params) {
  if (!isObject(params)) return undefined;
  // A copy, from the first property on that is to be read otherwise than it is; who sees what is read sees it read once.
  let known = flatness(params) < 0 ? {} : undefined;
  const names = ObjectKeys(params);
  for (let at = 0; at < names.length; at++) {
    const name = names[at];
    const read = readers[name];
    if (read === undefined) unknownParam(name);
    const given = read === undefined ? undefined : params[name];
    const value = read === undefined ? undefined : read(given);
    if (known === undefined) {
      if (read !== undefined && value === given) continue;
      known = {};
      for (let before = 0; before < at; before++) known[names[before]] = params[names[before]];
    }
    if (read !== undefined) known[name] = value;
  }
  return known ?? params;
}

const respond = (native) => new Proxy(native, handler);
const send = (method, url, body, params) => respond(native.request(method, url, shape(body), plain(params)));
const verb = (method) => (url, body, params) => send(method, url, body, params);
const named = (method) => (method === undefined || method === null || method === '' ? 'GET' : String(method));
const request = (method, url, body, params) => send(named(method), url, body, params);
const asyncRequest = (method, url, body, params) =>
  call(PromisePrototypeThen, native.requestAsync(named(method), url, shape(body), plain(params)), respond);

function warnOfBody(method, count) {
  native.warn(`http.${call(StringPrototypeToLowerCase, method)} only accepts a url and a params argument (2 arguments), but ${count} were given`);
}

// Responses ------------------------------------------------------------------------------------------------------

// The data of bodies that were read whole: every call of `json()` gives the same.
const parsed = primordials.Symbol('parsed');

const methods = {
  html(...list) {
    const document = once('k6/html/selection', native.callNode, { call, primordials })(native.html(this[NATIVE], this.url));
    return list.length > 0 ? document.find(String(list[0])) : document;
  },
  clickLink(args) {
    const { selector = 'a[href]', params } = args ?? {};
    const link = this.html(selector).first();
    if (link.size() === 0) throw new GoError(`no element found for selector '${selector}' in response '${this.url}'`);
    const href = link.attr('href');
    if (href === undefined) {
      throw new GoError(`no valid href attribute value found on element '${selector}' in response '${this.url}'`);
    }
    return respond(native.request('GET', native.resolve(this.url, href), undefined, plain(params)));
  },
  submitForm(args) {
    const { formSelector = 'form', submitSelector = '[type="submit"]', fields, params } = args ?? {};
    const form = this.html(formSelector);
    if (form.size() === 0) throw new GoError(`no form found for selector '${formSelector}' in response '${this.url}'`);
    const method = call(StringPrototypeToUpperCase, form.attr('method') || 'GET');
    const action = native.resolve(this.url, form.attr('action', ''));
    const values = form.serializeObject();
    const submit = form.find(submitSelector).first();
    if (submit.attr('name')) values[submit.attr('name')] = submit.val();
    // Choices of a list are one value in k6, written as Go writes them.
    let names = ObjectKeys(values);
    for (let at = 0; at < names.length; at++) {
      const value = values[names[at]];
      if (ArrayIsArray(value)) values[names[at]] = method === 'GET' ? joined(value, ',') : `[${joined(value, ' ')}]`;
    }
    if (fields !== undefined && fields !== null) {
      names = ObjectKeys(fields);
      for (let at = 0; at < names.length; at++) values[names[at]] = fields[names[at]];
    }
    if (method !== 'GET') return respond(native.request(method, action, shape(values), plain(params)));
    const before = call(StringPrototypeIndexOf, action, '#');
    const hash = before < 0 ? '' : call(StringPrototypeSlice, action, before);
    const front = before < 0 ? action : call(StringPrototypeSlice, action, 0, before);
    const query = call(StringPrototypeIndexOf, front, '?');
    const address = query < 0 ? front : call(StringPrototypeSlice, front, 0, query);
    return respond(native.request(method, `${address}?${native.formText(eachOf(values, String))}${hash}`, undefined, plain(params)));
  },
  json: bind('k6/http', 'json', 'json', 0, jsonRare, NATIVE, parsed),
};
// What is no text selects by its text, and what is no JSON is said here.
function jsonRare(self, ...list) {
  const response = self ?? {};
  const selector = list[0];
  if (list.length > 0) return parse(response, selector === undefined || selector === null ? '' : String(selector));
  const native = response[NATIVE];
  if (!(parsed in native)) native[parsed] = parse(response, undefined);
  return native[parsed];
}
function joined(list, separator) {
  let text = '';
  for (let at = 0; at < list.length; at++) text += (at === 0 ? '' : separator) + (list[at] ?? '');
  return text;
}
// What a response is once it leaves the VU, in setup data: its fields without the methods.
ObjectDefineProperty(methods, primordials.SymbolFor('volley.data'), {
  __proto__: null,
  value() {
    const data = {};
    const names = fieldNames();
    for (let at = 0; at < names.length; at++) if (isField(names[at])) data[names[at]] = this[names[at]];
    return data;
  },
});
function parse(response, selector) {
  try {
    return json(response[NATIVE], selector);
  } catch (error) {
    if (error instanceof SyntaxError) throw new GoError(jsonError(response[NATIVE]));
    throw error;
  }
}

function isFieldName(key) {
  const names = fieldNames();
  for (let at = 0; at < names.length; at++) if (names[at] === key) return true;
  return false;
}
const plainField = (value) => ({ __proto__: null, value, writable: true, enumerable: true, configurable: true });

const traps = {
  __proto__: null,
  getPrototypeOf: () => methods,
  ownKeys: () => fieldNames(),
  has: (native, key) => (typeof key === 'string' && isField(key)) || key in methods,
  getOwnPropertyDescriptor: (native, key) =>
    typeof key === 'string' && isFieldName(key) ? plainField(handler.get(native, key)) : undefined,
  set: (native, key, value) => handler.defineProperty(native, key, { value }),
  defineProperty(native, key, { value }) {
    if (typeof key !== 'string' || !isField(key)) throw new TypeError(`Cannot assign to property ${String(key)} of a host object`);
    ObjectDefineProperty(native, key, plainField(assign(key, value) ?? value));
    return true;
  },
};

// Cookies --------------------------------------------------------------------------------------------------------

const jarOptions = { __proto__: null, domain: 1, path: 1, expires: 1, max_age: 1, secure: 1, http_only: 1 };

class Jar extends Native {
  cookiesForURL(url) {
    return native.jarCookies(this, String(url));
  }
  set(url, name, value, options) {
    const known = {};
    const names = isObject(options) ? ObjectKeys(options) : [];
    for (let at = 0; at < names.length; at++) {
      const key = names[at];
      if (jarOptions[call(StringPrototypeToLowerCase, key)] === 1) known[key] = isObject(options[key]) ? String(options[key]) : options[key];
    }
    return native.jarSet(this, String(url), String(name), String(value), known);
  }
  delete(url, name) {
    native.jarDelete(this, String(url), name === undefined || name === null ? '' : String(name));
  }
  clear(url) {
    native.jarClear(this, String(url));
  }
}

function CookieJar() {
  return new Jar(native.newJar());
}

function cookieJar() {
  if (native.inInit()) throw new GoError('Making cookie jars in the init context is not supported');
  return new Jar(native.vuJar());
}

// Batches --------------------------------------------------------------------------------------------------------

function entry(request) {
  if (ArrayIsArray(request)) return [request[0], request[1], shape(request[2]), plain(request[3]), request.length];
  if (request instanceof Url || request === null || typeof request !== 'object') return request;
  const { method, url, body, params } = request;
  return { method, url, body: shape(body), params: plain(params) };
}

function batch(requests) {
  if (native.inInit()) throw new GoError('Using batch in the init context is not supported');
  if (arguments.length === 0) throw new GoError('no argument was provided to http.batch()');
  if (arguments.length > 1) throw new GoError('http.batch() accepts only an array or an object of requests');
  if (requests === null || typeof requests !== 'object') return native.requestBatch(requests);
  const keys = ObjectKeys(requests);
  const entries = [];
  for (let at = 0; at < keys.length; at++) entries[at] = entry(requests[keys[at]]);
  const answers = native.requestBatch(undefined, keys, entries);
  const results = ArrayIsArray(requests) ? [] : {};
  if (ArrayIsArray(requests)) for (let at = 0; at < keys.length; at++) results[at] = null;
  for (let at = 0; at < answers.length; at++) results[keys[at]] = respond(answers[at]);
  return results;
}

// The rest -------------------------------------------------------------------------------------------------------

// An ArrayBuffer is taken, and stays the one it is; a view of one is not.
function file(data, ...rest) {
  const given = [ArrayBufferIsView(data) ? shape(data, true) : data];
  for (let at = 0; at < rest.length; at++) given[at + 1] = rest[at];
  const made = ReflectApply(native.file, undefined, given);
  made.data ??= data;
  return made;
}

function url(parts, ...values) {
  if (!ArrayIsArray(parts)) {
    throw new TypeError(`could not convert function call parameter 0: could not convert ${parts} to []string`);
  }
  let name = parts[0];
  let full = name;
  for (let i = 1; i < parts.length; i++) {
    const value = values[i - 1];
    name += `\${}${parts[i]}`;
    full += (value === undefined || value === null ? '' : String(value)) + parts[i];
  }
  return new Url(name, full, native.parseUrl(full));
}

const setResponseCallback = (...list) => native.setCallback(list.length === 0 ? null : emptied(list[0]));
const range = (value) => (isObject(value) && 'min' in value && 'max' in value ? { min: emptied(value.min), max: emptied(value.max) } : emptied(value));
const expectedStatuses = (...args) => new Native(native.expect(args.map(range)));

return {
  plain, post: verb('POST'), put: verb('PUT'), patch: verb('PATCH'), del: verb('DELETE'), options: verb('OPTIONS'), request,
  asyncRequest, batch, url, file, CookieJar, cookieJar, setResponseCallback, expectedStatuses, methods, traps, warnOfBody,
};
})
