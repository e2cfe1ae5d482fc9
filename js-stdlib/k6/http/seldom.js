// What few scripts need of k6/http: batches, cookie jars, files, URL templates, and everything that can be done to a
// response besides reading a field. An expression, called with the native half and what it shares with http.js.
((native, { NATIVE, once, handler }) => {
const { field, isField, fieldNames, assign, json, jsonError } = native;

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
    Object.defineProperty(this, NATIVE, { value: thing });
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

const isObject = (value) => value !== null && typeof value === 'object';

// Objects of which no member means anything stand for what they are: Rust gets none that leads back to itself.
const emptied = (value) => (isObject(value) && value[NATIVE] === undefined ? {} : value);

function eachOf(object, convert) {
  const result = {};
  for (const name of Object.keys(object)) result[name] = convert(object[name]);
  return result;
}

const cookie = (value) => {
  if (!isObject(value)) return value;
  return Array.isArray(value) ? String(value) : { value: emptied(value.value), replace: emptied(value.replace) };
};

// What is read of the params, and how: nothing else is looked at. What objects make of themselves is said here, as Rust
// can't see it.
const readers = {
  __proto__: null,
  headers: (value) => (isObject(value) ? eachOf(value, String) : undefined),
  cookies: (value) => (isObject(value) ? eachOf(value, cookie) : undefined),
  tags: (value) => (isObject(value) && !Array.isArray(value) ? eachOf(value, emptied) : value),
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

function plain(params) {
  if (!isObject(params)) return undefined;
  const known = {};
  for (const name of Object.keys(params)) {
    const read = readers[name];
    if (read !== undefined) known[name] = read(params[name]);
  }
  return known;
}

const respond = (native) => new Proxy(native, handler);
const send = (method, url, body, params) => respond(native.request(method, url, shape(body), plain(params)));
const verb = (method) => (url, body, params) => send(method, url, body, params);
const named = (method) => (method === undefined || method === null || method === '' ? 'GET' : String(method));
const request = (method, url, body, params) => send(named(method), url, body, params);
const asyncRequest = (method, url, body, params) =>
  native.requestAsync(named(method), url, shape(body), plain(params)).then(respond);

function warnOfBody(method, count) {
  native.warn(`http.${method.toLowerCase()} only accepts a url and a params argument (2 arguments), but ${count} were given`);
}

// Responses ------------------------------------------------------------------------------------------------------

// The data of bodies that were read whole: every call of `json()` gives the same.
const parsed = new WeakMap();

const methods = {
  html(...list) {
    const document = once('k6/html/selection', native.callNode)(native.html(this[NATIVE], this.url));
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
    const method = (form.attr('method') || 'GET').toUpperCase();
    const action = native.resolve(this.url, form.attr('action', ''));
    const values = form.serializeObject();
    const submit = form.find(submitSelector).first();
    if (submit.attr('name')) values[submit.attr('name')] = submit.val();
    // Choices of a list are one value in k6, written as Go writes them.
    for (const name of Object.keys(values)) {
      if (Array.isArray(values[name])) values[name] = method === 'GET' ? values[name].join(',') : `[${values[name].join(' ')}]`;
    }
    Object.assign(values, fields);
    if (method !== 'GET') return respond(native.request(method, action, shape(values), plain(params)));
    for (const name of Object.keys(values)) values[name] = String(values[name]);
    const [, front, hash] = /^([^?#]*)[^#]*(.*)$/.exec(action);
    return respond(native.request(method, `${front}?${native.formText(values)}${hash}`, undefined, plain(params)));
  },
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
function parse(response, selector) {
  try {
    return json(response[NATIVE], selector);
  } catch (error) {
    if (error instanceof SyntaxError) throw new GoError(jsonError(response[NATIVE]));
    throw error;
  }
}

const plainField = (value) => ({ value, writable: true, enumerable: true, configurable: true });

const traps = {
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

// Cookies --------------------------------------------------------------------------------------------------------

class Jar extends Native {
  cookiesForURL(url) {
    return native.jarCookies(this, String(url));
  }
  set(url, name, value, options) {
    const known = {};
    for (const key of isObject(options) ? Object.keys(options) : []) {
      if (/^(domain|path|expires|max_age|secure|http_only)$/i.test(key)) known[key] = isObject(options[key]) ? String(options[key]) : options[key];
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
  if (Array.isArray(request)) return [request[0], request[1], shape(request[2]), plain(request[3]), request.length];
  if (request instanceof Url || request === null || typeof request !== 'object') return request;
  const { method, url, body, params } = request;
  return { method, url, body: shape(body), params: plain(params) };
}

function batch(requests) {
  if (native.inInit()) throw new GoError('Using batch in the init context is not supported');
  if (arguments.length === 0) throw new GoError('no argument was provided to http.batch()');
  if (arguments.length > 1) throw new GoError('http.batch() accepts only an array or an object of requests');
  if (requests === null || typeof requests !== 'object') return native.requestBatch(requests);
  const isList = Array.isArray(requests);
  const keys = Object.keys(requests);
  const answers = native.requestBatch(undefined, keys, keys.map((key) => entry(requests[key])));
  const results = isList ? new Array(keys.length).fill(null) : {};
  answers.forEach((answer, at) => {
    results[keys[at]] = respond(answer);
  });
  return results;
}

// The rest -------------------------------------------------------------------------------------------------------

// An ArrayBuffer is taken, and stays the one it is; a view of one is not.
function file(data, ...rest) {
  const made = native.file(ArrayBuffer.isView(data) ? shape(data, true) : data, ...rest);
  made.data ??= data;
  return made;
}

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
