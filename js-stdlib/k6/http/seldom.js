// What few scripts need of k6/http: batches, cookie jars, files, URL templates, and everything that can be done to a
// response besides reading a field. An expression, called with the native half and what it shares with http.js.
((native, { NATIVE, plain, respond, handler }) => {
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
    return native.jarSet(this, String(url), String(name), String(value), options);
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
  return { ...request, body: shape(request.body), params: plain(request.params) };
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

const setResponseCallback = (...list) => native.setCallback(list.length === 0 ? null : list[0]);
const expectedStatuses = (...args) => new Native(native.expect(args));

return { shape, methods, traps, url, CookieJar, cookieJar, file, batch, setResponseCallback, expectedStatuses };
})
