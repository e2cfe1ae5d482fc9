// k6/websockets: WebSocket as scripts see it. Rust tells what happens on a connection, one event after the other; here
// it becomes states and handlers. Blob is a part.
import { begin, next, send, ping, close, abandon, buffered, warn } from 'native:k6/websockets';
import * as native from 'native:k6/websockets';
import * as natives from 'native:volley/globals';
import { load, once } from 'native:engine';

const TYPES = ['open', 'message', 'error', 'close', 'ping', 'pong'];

// A class that is made when it is first used.
const blob = () => once('k6/websockets/blob', native, load);
const Blob = new Proxy(function () {}, {
  apply() {
    throw new TypeError('Blob has to be called with new');
  },
  construct: (_, args, target) => Reflect.construct(blob(), args, target),
  get: (_, key) => blob()[key],
});

const isObject = (value) => value !== null && typeof value === 'object';

// Only what Rust can't see in a copy of the params: texts that objects make of themselves.
function plain(params) {
  if (!isObject(params) || !isObject(params.headers)) return params;
  const headers = {};
  for (const name of Object.keys(params.headers)) headers[name] = String(params.headers[name]);
  return { ...params, headers };
}

function names(protocols) {
  if (protocols === undefined || protocols === null) return [];
  if (typeof protocols === 'string') return protocols === '' ? [] : [protocols];
  if (!Array.isArray(protocols)) throw new GoError(`could not convert ${String(protocols)} to []string`);
  return protocols.map(String);
}

// What of a value is sent; Rust refuses what is neither text nor bytes.
function payload(data) {
  if (typeof data !== 'object' || data === null) return data;
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  if (data instanceof Date) return { 'volley.kind': 'time.Time' };
  return data[Symbol.toStringTag] === 'Blob' && data instanceof Blob ? blob().data(data) : data;
}

let inner;

class WebSocket {
  #s;
  constructor(url, protocols, params) {
    if (url === undefined || url === null) throw new GoError('WebSocket requires a url');
    const [socket, address] = begin(String(url), names(protocols), plain(params));
    Object.defineProperties(this, own);
    this.#s = { socket, url: address, state: 0, protocol: '', extensions: [], binaryType: 'blob', on: {}, added: {} };
    listen(this, this.#s);
  }
  static {
    inner = (socket) => socket.#s;
  }
  get url() {
    return this.#s.url;
  }
  get readyState() {
    return this.#s.state;
  }
  get bufferedAmount() {
    return buffered(this.#s.socket);
  }
  get extensions() {
    return this.#s.extensions;
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

const methods = {
  addEventListener(s, type, listener) {
    if (typeof listener !== 'function') throw new GoError(`handler for event type "${type}" isn't a callable function`);
    if (TYPES.includes(type)) (s.added[type] ??= []).push(listener);
    else warn(`can't add event handler: unknown event type: ${type}`);
  },
  send(s, data) {
    if (s.state !== 1) throw new GoError('InvalidStateError');
    send(s.socket, payload(data));
  },
  ping(s) {
    if (s.state !== 1) throw new GoError('InvalidStateError');
    ping(s.socket);
  },
  close(s, code, reason) {
    close(s.socket, code, reason === undefined || reason === null ? '' : String(reason), s.state > 1);
    if (s.state < 2) s.state = 2;
  },
};

// They belong to their socket, whoever calls them: `setInterval(socket.ping, 1000)` works.
for (const name of Object.keys(methods)) {
  Object.defineProperty(WebSocket.prototype, name, {
    get() {
      const s = inner(this);
      return (s[name] ??= (...list) => methods[name](s, ...list));
    },
    enumerable: true,
  });
}
for (const type of TYPES) {
  Object.defineProperty(WebSocket.prototype, `on${type}`, {
    get() {
      return (...list) => inner(this).on[type]?.(...list);
    },
    set(handler) {
      const isNothing = handler === null || handler === undefined;
      if (!isNothing && typeof handler !== 'function') throw new GoError(`a value for 'on${type}' should be callable`);
      inner(this).on[type] = isNothing ? undefined : handler;
    },
    enumerable: true,
  });
}

// Scripts that list a socket's properties, or make JSON of it, find them all: they are its own.
const { constructor: _, ...own } = Object.getOwnPropertyDescriptors(WebSocket.prototype);
for (const name of Object.keys(own)) own[name].enumerable = true;

function emit(target, s, type, timestamp, more) {
  const handlers = s.added[type]?.slice() ?? [];
  if (s.on[type] !== undefined) handlers.unshift(s.on[type]);
  if (handlers.length === 0) return;
  const event = { type, target, timestamp, ...more };
  for (const handler of handlers) handler(event);
}

// One event after the other, as long as there are some; the iteration goes on as long. No async function: while one
// waits, its stack does too.
function listen(target, s) {
  next(s.socket).then(([kind, timestamp, a, b, error]) => {
    try {
      take(target, s, kind, timestamp, a, b, error);
    } catch (thrown) {
      fail(target, s, timestamp, thrown);
    }
    if (s.state < 3) listen(target, s);
  });
}

function take(target, s, kind, timestamp, a, b, error) {
  switch (kind) {
    case 'open':
      [s.protocol, s.extensions] = [a, b];
      if (s.state !== 0) return;
      s.state = 1;
      return emit(target, s, kind, timestamp);
    case 'message':
      if (s.state !== 1) return;
      const data = typeof a !== 'string' && s.binaryType === 'blob' ? new Blob([a]) : a;
      return emit(target, s, kind, timestamp, { data, origin: s.url });
    case 'failed':
      return end(target, s, timestamp, a, undefined, '');
    case 'closed':
      return end(target, s, timestamp, error, a, b);
    default:
      return emit(target, s, kind, timestamp);
  }
}

function end(target, s, timestamp, error, code, reason) {
  s.state = 3;
  if (error !== undefined) emit(target, s, 'error', timestamp, { error });
  emit(target, s, 'close', timestamp, code === undefined ? { reason } : { code, reason });
}

// A handler threw: the socket hears of it, and the iteration ends with what was thrown, as if a timer had done so.
function fail(target, s, timestamp, thrown) {
  if (s.state < 3) {
    abandon(s.socket);
    const place = /^\s*at (.+)$/m.exec(thrown?.stack ?? '');
    try {
      end(target, s, timestamp, place === null ? String(thrown) : `${thrown} at ${place[1]}`, undefined, '');
    } catch {
      // What was thrown first counts.
    }
  }
  once('volley/timers', natives).setTimeout(() => {
    throw thrown;
  }, 0);
}

export { WebSocket, Blob };
export default { WebSocket, Blob };
