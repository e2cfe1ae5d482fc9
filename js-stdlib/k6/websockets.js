// k6/websockets: WebSocket as scripts see it. Rust tells what happens on a connection, one event after the other; here
// it becomes states and handlers. Blob is in a lazy script.
import { begin, state, enter, watch, handle, send, ping, close, abandon, buffered, warn } from 'native:k6/websockets';
import * as native from 'native:k6/websockets';
import * as natives from 'native:volley/globals';
import { bind as direct, copyProperties, load, once, call, primordials } from 'native:engine';

const {
  ArrayBufferIsView, ArrayIsArray, Date, ObjectDefineProperty, ObjectGetOwnPropertyDescriptor, ObjectGetOwnPropertyNames,
  ObjectKeys, Proxy, ReflectApply, String, TypeError, Uint8Array,
} = primordials;
const { SymbolToStringTag: toStringTag } = primordials;

// Listeners run under the context they were registered in, where the feature async-metric-context is on.
const bind = natives.propagatesContext() ? once('volley/async_context').bind : (listener) => listener;

const TYPES = ['open', 'message', 'error', 'close', 'ping', 'pong'];
// What happens on a connection, as Rust numbers it.
const EVENTS = ['message', 'open', 'failed', 'closed', 'ping', 'pong'];
// An error of a handler for texts is told as an event.
const THROWN = -1;
const MESSAGE = 0;
const OPEN = 1;
const FAILED = 2;
const CLOSED = 3;
// The states, in the order they are listed on the class and on every socket.
const STATES = { OPEN: 1, CLOSED: 3, CLOSING: 2, CONNECTING: 0 };

// The first characters of a function's text.
const beginning = (handler) => call(primordials.StringPrototypeSlice, call(primordials.FunctionPrototypeToString, handler), 0, 64);

// A class that is made when it is first used.
const blob = () => once('k6/websockets/blob', native, load, call, primordials);
const Blob = new Proxy(function () {}, {
  __proto__: null,
  apply() {
    throw new TypeError('Blob has to be called with new');
  },
  construct: (_, args, target) => primordials.ReflectConstruct(blob(), args, target),
  get: (_, key) => blob()[key],
});

function isType(type) {
  for (let at = 0; at < TYPES.length; at++) if (TYPES[at] === type) return true;
  return false;
}

const isObject = (value) => value !== null && typeof value === 'object';

// Only what Rust can't see in a copy of the params: texts that objects make of themselves.
function plain(params) {
  if (!isObject(params) || !isObject(params.headers)) return params;
  const headers = {};
  const names = ObjectKeys(params.headers);
  for (let at = 0; at < names.length; at++) headers[names[at]] = String(params.headers[names[at]]);
  return { ...params, headers };
}

function names(protocols) {
  if (protocols === undefined || protocols === null) return [];
  if (typeof protocols === 'string') return protocols === '' ? [] : [protocols];
  if (!ArrayIsArray(protocols)) throw new GoError(`could not convert ${String(protocols)} to []string`);
  const texts = [];
  for (let at = 0; at < protocols.length; at++) texts[at] = String(protocols[at]);
  return texts;
}

// What of a value is sent; Rust refuses what is neither text nor bytes.
function payload(data) {
  if (typeof data !== 'object' || data === null) return data;
  if (ArrayBufferIsView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  if (data instanceof Date) return { 'volley.kind': 'time.Time' };
  return data[toStringTag] === 'Blob' && data instanceof Blob ? blob().data(data) : data;
}

const listen = direct('k6/websockets', 'listen', '', 0);
// In the place of a URL: one without a connection, whose properties all others get. Defining them one by one takes longer than
// all else there is to a socket.
const TEMPLATE = {};
let inner;

class WebSocket {
  #s;
  constructor(url, protocols, params) {
    if (url === TEMPLATE) return;
    if (url === undefined || url === null) throw new GoError('WebSocket requires a url');
    const begun = begin(String(url), names(protocols), plain(params));
    const s = { __proto__: null, socket: begun[0], url: begun[1], code: undefined, protocol: '', extensions: undefined, binaryType: 'blob', on: { __proto__: null }, added: undefined, methods: undefined };
    const { addEventListener, send, ping, close } = bound;
    const methods = (s.methods = { __proto__: null, addEventListener: addEventListener(s), send: send(s), ping: ping(s), close: close(s) });
    this.#s = s;
    copyProperties(this, template, methods.addEventListener, methods.send, methods.ping, methods.close);
    listen(s.socket, s.on, 'message', this, s.url, happened, s);
  }
  static {
    inner = (socket) => socket.#s;
  }
  get url() {
    return this.#s.url;
  }
  get readyState() {
    return state(this.#s.socket);
  }
  get bufferedAmount() {
    return buffered(this.#s.socket);
  }
  get extensions() {
    return (this.#s.extensions ??= []);
  }
  get protocol() {
    return this.#s.protocol;
  }
  get binaryType() {
    return this.#s.binaryType;
  }
  set binaryType(type) {
    if (type !== 'blob' && type !== 'arraybuffer') {
      throw new GoError(`unknown binaryType ${String(type)}, the supported ones are "blob" and "arraybuffer"`);
    }
    this.#s.binaryType = type;
  }
}

// Methods are bound to their socket: `setInterval(socket.ping, 1000)` works. Like native ones they have no length.
const bound = {
  addEventListener: (s) => (type = undefined, listener) => {
    if (typeof listener !== 'function') throw new GoError(`handler for event type "${type}" isn't a callable function`);
    if (isType(type)) {
      const listeners = ((s.added ??= { __proto__: null })[type] ??= []);
      listeners[listeners.length] = bind(listener);
      if (type === 'message') watch(s.socket);
    }
    else warn(`can't add event handler: unknown event type: ${type}`);
  },
  send: (s) => direct('k6/websockets', 'send', '', 0, s.socket, sendOther),
  ping: (s) => () => {
    if (state(s.socket) !== 1) throw new GoError('InvalidStateError');
    ping(s.socket);
  },
  close: (s) => (code = undefined, reason) => {
    const before = state(s.socket);
    const used = close(s.socket, code, reason === undefined || reason === null ? '' : String(reason));
    // Until it is open, the handshake is given up: there is no close frame that could bring the code back.
    if (before === 0) s.code = used;
  },
};
const sendOther = (socket, data) => {
  send(socket, payload(data));
};

for (let at = 0, names = ObjectKeys(bound); at < names.length; at++) {
  const name = names[at];
  ObjectDefineProperty(WebSocket.prototype, name, {
    __proto__: null,
    get() {
      return inner(this).methods[name];
    },
    enumerable: true,
  });
}
for (let at = 0; at < TYPES.length; at++) {
  const type = TYPES[at];
  ObjectDefineProperty(WebSocket.prototype, `on${type}`, {
    __proto__: null,
    get() {
      return (...list) => {
        const { on } = inner(this);
        return on[type] === undefined ? undefined : ReflectApply(on[type], on, list);
      };
    },
    set(handler) {
      const isNothing = handler === null || handler === undefined;
      if (!isNothing && typeof handler !== 'function') throw new GoError(`a value for 'on${type}' should be callable`);
      const { on, socket } = inner(this);
      on[type] = isNothing ? undefined : bind(handler);
      if (type === 'message') handle(socket, isNothing ? '' : beginning(on[type]));
    },
    enumerable: true,
  });
}

// Scripts that list a socket's properties, or make JSON of it, find them all: they are its own. Methods take the places of those
// without a value.
const template = new WebSocket(TEMPLATE);
for (let at = 0, names = ObjectGetOwnPropertyNames(WebSocket.prototype); at < names.length; at++) {
  const name = names[at];
  if (name === 'constructor') continue;
  const property = bound[name] === undefined ? ObjectGetOwnPropertyDescriptor(WebSocket.prototype, name) : { value: undefined };
  ObjectDefineProperty(template, name, { ...property, enumerable: true, __proto__: null });
}
for (let at = 0, names = ObjectKeys(STATES); at < names.length; at++) {
  const state = { __proto__: null, value: STATES[names[at]], enumerable: true };
  ObjectDefineProperty(template, names[at], state);
  ObjectDefineProperty(WebSocket, names[at], state);
}

function emit(s, event) {
  const { type } = event;
  const on = s.on[type];
  const added = s.added?.[type];
  if (added === undefined) {
    if (on !== undefined) on(event);
    return;
  }
  // Those that are there now.
  const handlers = on === undefined ? [] : [on];
  for (let at = 0; at < added.length; at++) handlers[handlers.length] = added[at];
  for (let at = 0; at < handlers.length; at++) {
    const handler = handlers[at];
    handler(event);
  }
}

// Handles events but texts that go to `onmessage` alone, which Rust hands over. The iteration lasts until the last. No async
// function: while one waits, its stack does too.
function happened(target, s, kind, timestamp, first, second, third) {
  if (kind === THROWN) return fail(target, s, timestamp, first);
  try {
    take(target, s, kind, timestamp, first, second, third);
  } catch (thrown) {
    fail(target, s, timestamp, thrown);
  }
}

// An event: its kind, its time, and what else there is to it.
function take(target, s, kind, timestamp, first, second, third) {
  if (kind === MESSAGE) {
    if (state(s.socket) !== 1) return;
    const data = typeof first === 'string' || s.binaryType !== 'blob' ? first : new Blob([first]);
    return emit(s, { type: 'message', target, timestamp, data, origin: s.url });
  }
  switch (kind) {
    case OPEN:
      s.protocol = first;
      s.extensions = second;
      if (state(s.socket) !== 0) return;
      enter(s.socket, 1);
      return emit(s, { type: 'open', target, timestamp });
    case FAILED:
      return end(target, s, timestamp, state(s.socket) === 0 ? first : undefined, s.code, '');
    case CLOSED:
      return end(target, s, timestamp, third, first, second);
    default:
      return emit(s, { type: EVENTS[kind], target, timestamp });
  }
}

function end(target, s, timestamp, error, code, reason) {
  enter(s.socket, 3);
  if (error !== undefined) emit(s, { type: 'error', target, timestamp, error });
  emit(s, code === undefined ? { type: 'close', target, timestamp, reason } : { type: 'close', target, timestamp, code, reason });
}

// Where an error was thrown, as its stack has it.
function firstPlace(thrown) {
  const stack = `${thrown?.stack ?? ''}`;
  const at = call(primordials.StringPrototypeIndexOf, stack, '\tat ');
  if (at < 0) return '';
  const end = call(primordials.StringPrototypeIndexOf, stack, '\n', at);
  return call(primordials.StringPrototypeSlice, stack, at + 4, end < 0 ? undefined : end);
}

// A handler threw: the socket hears of it, and the iteration ends with what was thrown, as if a timer had done so.
function fail(target, s, timestamp, thrown) {
  if (state(s.socket) < 3) {
    abandon(s.socket);
    const place = firstPlace(thrown);
    try {
      end(target, s, timestamp, place === '' ? String(thrown) : `${thrown} at ${place}`, undefined, '');
    } catch {
      // What was thrown first counts.
    }
  }
  once('volley/timers', natives, { once, primordials }).setTimeout(() => {
    throw thrown;
  }, 0);
}

export { WebSocket, Blob };
export default { WebSocket, Blob };
