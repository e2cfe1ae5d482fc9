// k6/ws: a WebSocket the VU waits for. The loop is here: it asks Rust for the next event, or for the time of the next
// timer, and calls the handlers.
import { check, open, wait, send, ping, leave, finish, clock } from 'native:k6/ws';
import { rebind } from 'native:engine';

const EVENTS = ['open', 'message', 'binaryMessage', 'ping', 'pong', 'close', 'error'];
const METHODS = ['on', 'send', 'sendBinary', 'ping', 'setTimeout', 'setInterval', 'close'];
const GOING_AWAY = 1001;

// What Go's errors look like from here.
function hostError(text, fields) {
  const error = { ...fields, error: () => text };
  return Object.defineProperty(error, 'toString', { value: () => text, enumerable: false });
}

const nameOf = (value) =>
  value === undefined || value === null ? String(value) : Object.prototype.toString.call(value).slice(8, -1);

let loop;

class Socket {
  #socket;
  #handlers = {};
  #timers = [];
  #isClosed = false;
  constructor(socket) {
    this.#socket = socket;
    // They belong to their socket, whoever calls them: `socket.setInterval(socket.ping, 1000)` works.
    for (const name of METHODS) this[name] = this[name].bind(this);
  }
  static {
    loop = (socket, setup) => socket.#run(setup);
  }

  on(event, handler) {
    if (typeof handler === 'function' && EVENTS.includes(event)) (this.#handlers[event] ??= []).push(handler);
  }
  send(...list) {
    if (list.length === 0) throw new GoError('missing argument, expected a text to send');
    this.#send(String(list[0]));
  }
  sendBinary(...list) {
    if (list.length === 0) throw new GoError('missing argument, expected ArrayBuffer');
    if (!(list[0] instanceof ArrayBuffer)) {
      throw new GoError(`expected ArrayBuffer as argument, received: ${nameOf(list[0])}`);
    }
    this.#send(list[0]);
  }
  ping() {
    if (!ping(this.#socket)) this.#emit('error', hostError('websocket: close sent'));
  }
  setTimeout(callback, delay) {
    this.#add('setTimeout', callback, delay, false);
  }
  setInterval(callback, delay) {
    this.#add('setInterval', callback, delay, true);
  }
  close(...list) {
    this.#close(list.length === 0 ? GOING_AWAY : Number(list[0]));
  }

  #emit(event, ...list) {
    for (const handler of this.#handlers[event] ?? []) handler(...list);
  }
  #send(data) {
    if (!send(this.#socket, data)) this.#emit('error', hostError('websocket: close sent'));
  }
  #add(name, callback, delay, repeats) {
    if (typeof callback !== 'function') {
      throw new TypeError(`could not convert function call parameter 0: could not convert ${String(callback)} to sobek.Callable`);
    }
    const ms = Number(delay);
    if (!(ms > 0)) throw new GoError(`${name} requires a >0 timeout parameter, received ${ms.toFixed(2)}`);
    if (!this.#isClosed) this.#timers.push({ due: clock() + ms, ms: repeats ? ms : undefined, callback });
  }
  #close(code) {
    if (this.#isClosed) return;
    this.#isClosed = true;
    leave(this.#socket, code);
    this.#emit('close', Math.trunc(code) || 0);
  }

  #run(setup) {
    try {
      setup(this);
      this.#emit('open');
      // Events and timers take turns where both never end.
      for (let wasEvent = false; !this.#isClosed; ) {
        const timer = this.#timers.reduce((first, other) => (first === undefined || other.due < first.due ? other : first), undefined);
        const left = timer === undefined ? undefined : Math.max(0, timer.due - clock());
        const event = left === 0 && wasEvent ? undefined : wait(this.#socket, left);
        wasEvent = event !== undefined;
        if (wasEvent) this.#take(...event);
        else this.#fire(timer);
      }
    } catch (error) {
      try {
        this.#close(GOING_AWAY);
      } catch {
        // What was thrown first counts.
      }
      throw error;
    } finally {
      finish(this.#socket);
    }
  }
  #fire(timer) {
    if (timer.ms === undefined) this.#timers.splice(this.#timers.indexOf(timer), 1);
    else timer.due = Math.max(timer.due + timer.ms, clock());
    timer.callback();
  }
  #take(kind, _, a, b, error) {
    switch (kind) {
      case 'message':
        return this.#emit(typeof a === 'string' ? 'message' : 'binaryMessage', a);
      case 'closed':
        if (error !== undefined) this.#emit('error', hostError(error, a === undefined ? {} : { code: a, text: b }));
        return this.#close(a ?? GOING_AWAY);
      default:
        return this.#emit(kind);
    }
  }
}

// What Rust gave out hangs on this symbol.
const NATIVE = Symbol.for('volley.native');

const isObject = (value) => value !== null && typeof value === 'object';

// Of the params nothing else is looked at.
function known(params) {
  if (!isObject(params)) return undefined;
  const result = {};
  for (const name of Object.keys(params)) {
    if (!['headers', 'tags', 'jar', 'compression'].includes(name)) continue;
    const value = params[name];
    if (name === 'jar') result.jar = isObject(value) && value[NATIVE] !== undefined ? value : undefined;
    else if (name === 'compression') result.compression = isObject(value) ? String(value) : value;
    else if (!isObject(value) || Array.isArray(value)) result[name] = value;
    else result[name] = Object.fromEntries(Object.keys(value).map((key) => [key, text(name, value[key])]));
  }
  return result;
}

// Headers are texts; tags that can't be tags are refused for what they are, whatever is in them.
function text(name, value) {
  if (name === 'headers') return String(value);
  return isObject(value) ? {} : value;
}

function connect(url, ...rest) {
  check();
  if (rest.length < 1 || rest.length > 2) throw new GoError('invalid number of arguments to ws.connect');
  const setup = rest[rest.length - 1];
  if (typeof setup !== 'function') throw new GoError('last argument to ws.connect must be a function');
  const [response, socket] = open(String(url), rest.length === 2 ? known(rest[0]) : undefined);
  if (socket !== undefined) loop(new Socket(socket), setup);
  return response;
}

// Named imports see what a script puts in the place of a function.
const ws = new Proxy({ connect }, {
  set(object, key, value) {
    if (!Reflect.set(object, key, value)) return false;
    rebind('k6/ws', key, value);
    return true;
  },
});

export { connect };
export default ws;
