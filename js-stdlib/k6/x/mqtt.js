// k6/x/mqtt: clients of MQTT servers, with events. What arrives is asked for, message by message.
import { declare, open, connect, publish, topics, next, end, warn } from 'native:k6/x/mqtt';
import * as natives from 'native:volley/globals';
import { once, call, primordials } from 'native:engine';

const { ObjectDefineProperty, PromisePrototypeThen, String } = primordials;

// The native resource is under this symbol; an object that has it stands for the resource wherever it is passed.
const NATIVE = primordials.SymbolFor('volley.native');
const EVENTS = { __proto__: null, connect: 1, message: 1, end: 1, reconnect: 1, error: 1 };
// A lost connection is tried again after so many milliseconds, then twice as many.
const RETRY_FIRST = 1000;
const RETRY_MAX = 600000;

declare();

const timers = () => once('volley/timers', natives, { once, primordials });
const bind = natives.propagatesContext() ? once('volley/async_context').bind : (handler) => handler;

function mqttError(method, message) {
  const text = `MQTT error during ${method}: ${message}`;
  return { __proto__: { __proto__: null, error: () => text, toString: () => text }, name: 'MQTTError', method, message };
}

export class Client {
  #handlers = { __proto__: null };
  #options;
  #target;
  #connected = false;
  #asking = false;
  #timer;
  #ended = false;

  constructor(options) {
    this.#options = options ?? {};
    ObjectDefineProperty(this, NATIVE, { __proto__: null, value: open(options) });
  }
  get connected() { return this.#connected; }

  on(event, handler) {
    const name = String(event);
    if (EVENTS[name] === undefined) warn(`Unknown event type: ${name}`);
    else {
      if (this.#handlers[name] !== undefined) warn(`Event handler already registered, overriding: ${name}`);
      this.#handlers[name] = bind(handler);
    }
    return this;
  }

  connect(url, options) {
    this.#aim(url, options);
    return this.#settle('connect', this.#dial(true));
  }
  connectAsync(url, options) {
    this.#aim(url, options);
    return this.#later('connect', this.#dial(false));
  }
  reconnect() { return this.#again(true); }
  reconnectAsync() { return this.#again(false); }
  publish(topic, payload, options) {
    return this.#settle('publish', publish(this, String(topic), payload, options, true));
  }
  publishAsync(topic, payload, options) {
    return this.#later('publish', publish(this, String(topic), payload, options, false));
  }
  subscribe(topic, options) { return this.#settle('subscribe', topics(this, 'subscribe', topic, options, true)); }
  subscribeAsync(topic, options) { return this.#later('subscribe', topics(this, 'subscribe', topic, options, false)); }
  unsubscribe(topic, options) { return this.#settle('unsubscribe', topics(this, 'unsubscribe', topic, options, true)); }
  unsubscribeAsync(topic, options) {
    return this.#later('unsubscribe', topics(this, 'unsubscribe', topic, options, false));
  }

  end(options) {
    if (this.#timer !== undefined) timers().clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#connected = false;
    this.#ended = true;
    end(this, options?.tags);
    this.#emit('end');
  }
  async endAsync(options) { this.end(options); }

  #aim(url, options) {
    if (typeof url === 'object' && url !== null) this.#target = { servers: url.servers, options: url };
    else this.#target = { servers: url === undefined ? options?.servers : String(url), options };
  }

  #dial(waits) {
    this.#ended = false;
    const provider = this.#options.credentials_provider;
    const credentials = typeof provider === 'function' ? provider() : this.#options;
    return connect(this, this.#target.servers, this.#target.options, credentials, waits);
  }

  #again(waits) {
    if (this.#target === undefined) return this.#settle('reconnect', { failed: 'not connected' });
    end(this);
    this.#connected = false;
    this.#emit('reconnect');
    return waits ? this.#settle('connect', this.#dial(true)) : this.#later('connect', this.#dial(false));
  }

  // With a handler of errors, that alone gets them.
  #settle(method, answer) {
    if (answer.failed !== undefined) {
      const error = mqttError(method, answer.failed);
      if (this.#handlers.error === undefined) throw error;
      this.#emit('error', error);
    } else if (method === 'connect') {
      this.#connected = true;
      this.#emit('connect');
      this.#ask();
    }
  }

  #later(method, promise) { return call(PromisePrototypeThen, promise, (answer) => this.#settle(method, answer)); }

  #emit(name, first, second) {
    const handler = this.#handlers[name];
    if (handler !== undefined) call(handler, this, first, second);
  }

  #ask() {
    if (this.#asking) return;
    this.#asking = true;
    call(PromisePrototypeThen, next(this), (arrival) => {
      this.#asking = false;
      if (arrival.topic !== undefined) {
        this.#ask();
        this.#emit('message', arrival.topic, arrival.payload);
      } else if (arrival.lost !== undefined) this.#lost(RETRY_FIRST);
      // Another connection has taken the place of the one that ended.
      else if (this.#connected) this.#ask();
    });
  }

  #lost(pause) {
    this.#connected = false;
    this.#emit('reconnect');
    this.#retry(pause);
  }

  #retry(pause) {
    if (this.#connected || this.#ended) return;
    this.#timer = timers().setTimeout(() => {
      this.#timer = undefined;
      call(PromisePrototypeThen, this.#dial(false), (answer) => {
        if (answer.failed === undefined) this.#settle('connect', answer);
        else this.#retry(pause * 2 < RETRY_MAX ? pause * 2 : RETRY_MAX);
      });
    }, pause);
  }
}

export default { Client };
