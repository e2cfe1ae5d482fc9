// k6/x/tcp: sockets of plain TCP or TLS, with events. What arrives is asked for, piece by piece.
import { declare, open, connect, write, next, destroy, warn } from 'native:k6/x/tcp';
import * as natives from 'native:volley/globals';
import { once, call, primordials } from 'native:engine';

const { ObjectDefineProperty, PromisePrototypeThen, String, Uint8Array } = primordials;

// The native resource is under this symbol; an object that has it stands for the resource wherever it is passed.
const NATIVE = primordials.SymbolFor('volley.native');
const EVENTS = { __proto__: null, connect: 1, data: 1, close: 1, error: 1, timeout: 1 };

declare();

const timers = () => once('volley/timers', natives, { once, primordials });
const bind = natives.propagatesContext() ? once('volley/async_context').bind : (handler) => handler;

// What k6 rejects with, and gives to handlers of errors.
function tcpError(method, message) {
  const text = `TCP error during ${method}: ${message}`;
  return { __proto__: { __proto__: null, error: () => text, toString: () => text }, name: 'TCPError', method, message };
}

export class Socket {
  #handlers = { __proto__: null };
  #state = 'disconnected';
  #ends = { __proto__: null };
  #timer;
  #millis = 0;
  #written = 0;
  #read = 0;

  constructor(options) {
    ObjectDefineProperty(this, NATIVE, { __proto__: null, value: open(options?.tags) });
  }
  get ready_state() { return this.#state; }
  get connected() { return this.#state === 'open'; }
  get local_ip() { return this.#ends.local_ip; }
  get local_port() { return this.#ends.local_port; }
  get remote_ip() { return this.#ends.remote_ip; }
  get remote_port() { return this.#ends.remote_port; }
  get bytes_written() { return this.#written; }
  get bytes_read() { return this.#read; }

  on(event, handler) {
    const name = String(event);
    if (EVENTS[name] === undefined) warn(`Unknown event type: ${name}`);
    else {
      if (this.#handlers[name] !== undefined) warn(`Event handler already registered, overriding: ${name}`);
      this.#handlers[name] = bind(handler);
    }
    return this;
  }

  connect(target, host) {
    // One that is open, or destroyed, stays what it is.
    const isNew = this.#state === 'disconnected';
    if (isNew) this.#state = 'opening';
    const opened = (ends) => {
      if (this.#state !== 'opening') return;
      this.#state = 'open';
      this.#ends = ends;
      this.#arm();
      this.#emit('connect');
      this.#pump();
    };
    return call(PromisePrototypeThen, connect(this, target, host), (answer) => {
      if (answer.failed === undefined) return opened(answer);
      const error = tcpError('connect', answer.failed);
      if (isNew && this.#state === 'opening') this.#state = 'disconnected';
      this.#emit('error', error);
      throw error;
    });
  }

  write(data, options) {
    return call(PromisePrototypeThen, write(this, data, options?.encoding, options?.tags), (answer) => {
      if (answer.failed !== undefined) throw tcpError('write', answer.failed);
      this.#written += answer.bytes;
    });
  }

  setTimeout(millis) {
    this.#millis = millis > 0 ? +millis : 0;
    if (this.#state === 'open') this.#arm();
    return this;
  }

  destroy() {
    if (this.#state === 'destroyed') return;
    const wasOpen = this.#state === 'open';
    this.#state = 'destroyed';
    this.#ends = { __proto__: null };
    this.#arm();
    destroy(this, false);
    if (wasOpen) this.#emit('close');
  }

  #emit(name, given) {
    const handler = this.#handlers[name];
    if (handler !== undefined) call(handler, this, given);
  }

  // The timer of silence begins anew.
  #arm() {
    if (this.#timer !== undefined) timers().clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#state !== 'open' || this.#millis === 0) return;
    this.#timer = timers().setTimeout(() => {
      this.#timer = undefined;
      destroy(this, true);
      this.#arm();
      this.#emit('timeout');
    }, this.#millis);
  }

  #pump() {
    call(PromisePrototypeThen, next(this), (answer) => {
      if (this.#state !== 'open') return;
      if (answer.data === undefined) {
        if (answer.failed !== undefined) this.#emit('error', tcpError('read', answer.failed));
        return this.destroy();
      }
      const data = new Uint8Array(answer.data);
      this.#read += data.length;
      this.#arm();
      this.#pump();
      this.#emit('data', data);
    });
  }
}

export default { Socket };
