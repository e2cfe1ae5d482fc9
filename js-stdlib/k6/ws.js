// k6/ws: a WebSocket the VU waits for. The loop is here: it asks Rust for the next event, or for the time of the next
// timer, and calls the handlers.
import { check, open, wait, send, ping, close, finish, clock } from 'native:k6/ws';
import { rebind, call, primordials } from 'native:engine';

const { ArrayBuffer, ArrayIsArray, Number, ObjectDefineProperty, ObjectKeys, Proxy, ReflectApply, String, TypeError } = primordials;

const EVENTS = ['open', 'message', 'binaryMessage', 'ping', 'pong', 'close', 'error'];
// What happens on a connection, as Rust numbers it.
const KINDS = ['message', 'open', 'failed', 'closed', 'ping', 'pong'];
const METHODS = ['on', 'send', 'sendBinary', 'ping', 'setTimeout', 'setInterval', 'close'];
const GOING_AWAY = 1001;

// What Go's errors look like from here.
function hostError(text, fields) {
  const error = { ...fields, error: () => text };
  return ObjectDefineProperty(error, 'toString', { __proto__: null, value: () => text, enumerable: false });
}

const nameOf = (value) =>
  value === undefined || value === null ? String(value) : call(primordials.StringPrototypeSlice, call(primordials.ObjectPrototypeToString, value), 8, -1);

// A number that is not above zero, with two decimals.
function twoDecimals(number) {
  if (number - number !== 0) return `${number}`;
  const rounded = 0.5 - number * 100;
  const cents = rounded - (rounded % 1);
  const rest = cents % 100;
  return `${number < 0 ? '-' : ''}${(cents - rest) / 100}.${rest < 10 ? '0' : ''}${rest}`;
}

const atLeast = (least, value) => (value > least ? value : least);

let loop;

class Socket {
  #socket;
  #handlers = { __proto__: null };
  #timers = [];
  #isClosed = false;
  constructor(socket) {
    this.#socket = socket;
    // They are bound to their socket: `socket.setInterval(socket.ping, 1000)` works.
    for (let at = 0; at < METHODS.length; at++) {
      const method = this[METHODS[at]];
      this[METHODS[at]] = (...list) => ReflectApply(method, this, list);
    }
  }
  static {
    loop = (socket, setup) => socket.#run(setup);
  }

  on(event, handler) {
    if (typeof handler !== 'function') return;
    for (let at = 0; at < EVENTS.length; at++) {
      if (EVENTS[at] === event) {
        const handlers = (this.#handlers[event] ??= []);
        handlers[handlers.length] = handler;
      }
    }
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
    const handlers = this.#handlers[event];
    if (handlers === undefined) return;
    // Also those that are added meanwhile.
    for (let at = 0; at < handlers.length; at++) ReflectApply(handlers[at], undefined, list);
  }
  #send(data) {
    if (!send(this.#socket, data)) this.#emit('error', hostError('websocket: close sent'));
  }
  #add(name, callback, delay, repeats) {
    if (typeof callback !== 'function') {
      throw new TypeError(`could not convert function call parameter 0: could not convert ${String(callback)} to sobek.Callable`);
    }
    const ms = Number(delay);
    if (!(ms > 0)) throw new GoError(`${name} requires a >0 timeout parameter, received ${twoDecimals(ms)}`);
    if (!this.#isClosed) this.#timers[this.#timers.length] = { due: clock() + ms, ms: repeats ? ms : undefined, callback };
  }
  #close(code) {
    if (this.#isClosed) return;
    this.#isClosed = true;
    close(this.#socket, code);
    this.#emit('close', code - (code % 1) || 0);
  }

  #run(setup) {
    try {
      setup(this);
      this.#emit('open');
      // Events and timers take turns where both never end.
      for (let wasEvent = false; !this.#isClosed; ) {
        const timer = this.#first();
        const left = timer === undefined ? undefined : atLeast(0, timer.due - clock());
        const event = left === 0 && wasEvent ? undefined : wait(this.#socket, left);
        wasEvent = event !== undefined;
        if (wasEvent) this.#take(event[0], event[1], event[2], event[3], event[4]);
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
  // The timer that is due first.
  #first() {
    let first;
    for (let at = 0; at < this.#timers.length; at++) {
      const timer = this.#timers[at];
      if (first === undefined || timer.due < first.due) first = timer;
    }
    return first;
  }
  #remove(timer) {
    const rest = [];
    for (let at = 0; at < this.#timers.length; at++) {
      if (this.#timers[at] !== timer) rest[rest.length] = this.#timers[at];
    }
    this.#timers = rest;
  }
  #fire(timer) {
    if (timer.ms === undefined) this.#remove(timer);
    else timer.due = atLeast(timer.due + timer.ms, clock());
    timer.callback();
  }
  #take(kind, _, a, b, error) {
    const name = KINDS[kind];
    switch (name) {
      case 'message':
        return this.#emit(typeof a === 'string' ? 'message' : 'binaryMessage', a);
      case 'closed':
        if (error !== undefined) this.#emit('error', hostError(error, a === undefined ? {} : { code: a, text: b }));
        return this.#close(a ?? GOING_AWAY);
      default:
        return this.#emit(name);
    }
  }
}

// What Rust gave out hangs on this symbol.
const NATIVE = primordials.SymbolFor('volley.native');

const isObject = (value) => value !== null && typeof value === 'object';

// Of the params nothing else is looked at.
function known(params) {
  if (!isObject(params)) return undefined;
  const result = {};
  const names = ObjectKeys(params);
  for (let at = 0; at < names.length; at++) {
    const name = names[at];
    if (name !== 'jar' && name !== 'compression' && name !== 'headers' && name !== 'tags') continue;
    const value = params[name];
    if (name === 'jar') result.jar = isObject(value) && value[NATIVE] !== undefined ? value : undefined;
    else if (name === 'compression') result.compression = isObject(value) ? String(value) : value;
    else if (!isObject(value) || ArrayIsArray(value)) result[name] = value;
    else {
      const members = {};
      const keys = ObjectKeys(value);
      for (let key = 0; key < keys.length; key++) members[keys[key]] = text(name, value[keys[key]]);
      result[name] = members;
    }
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
  const opened = open(String(url), rest.length === 2 ? known(rest[0]) : undefined);
  if (opened[1] !== undefined) loop(new Socket(opened[1]), setup);
  return opened[0];
}

// Named imports see what a script puts in the place of a function.
const ws = new Proxy({ connect }, {
  __proto__: null,
  set(object, key, value) {
    try {
      object[key] = value;
    } catch {
      return false;
    }
    rebind('k6/ws', key, value);
    return true;
  },
});

export { connect };
export default ws;
