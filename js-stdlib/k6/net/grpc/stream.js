// Streams of k6/net/grpc. Rust says what happens next when it is asked; this half calls the handlers. An expression,
// called with the native half and what it shares with grpc.js.
((native, { bind, NATIVE, text, json, timers, primordials }) => {
const kinds = ['data', 'error', 'end', 'status'];

function isKind(event) {
  for (let at = 0; at < kinds.length; at++) if (kinds[at] === event) return true;
  return false;
}

class Stream {
  #handlers = { __proto__: null };

  constructor(client, method, params) {
    primordials.ObjectDefineProperty(this, NATIVE, { __proto__: null, value: native.openStream(client, text(method), params) });
    this.#pull();
  }

  on(event, handler) {
    if (typeof handler !== 'function') throw new GoError(`handler for "${event}" event isn't a callable function`);
    if (!isKind(event)) {
      native.warn(`can't register ${event} event handler: unknown GRPC stream's event type: ${event}`);
      return;
    }
    const handlers = (this.#handlers[event] ??= []);
    handlers[handlers.length] = bind(handler);
  }

  write(message) {
    if (message === undefined || message === null) {
      native.warn("can't send empty message");
      return;
    }
    const made = json(message);
    native.writeStream(this, made[0], made[1]);
  }

  end() {
    native.endStream(this);
  }

  #pull() {
    native.nextEvent(this, (ts, message, error, why) => {
      // Requested before the handlers run: what is pending ends with the iteration.
      this.#pull();
      if (message !== undefined) return this.#call('data', message, ts);
      if (error !== undefined && !this.#call('error', error, ts)) {
        native.warn(`no handlers for error registered, but an error happened: ${why}`);
      }
      this.#call('end', {}, ts);
    });
  }

  // Calls the handlers of an event; false if there are none.
  #call(event, value, ts) {
    const handlers = this.#handlers[event];
    for (let at = 0; at < (handlers?.length ?? 0); at++) {
      const handler = handlers[at];
      try {
        handler(value, { ts });
      } catch (error) {
        // The iteration fails as with an exception in any other callback.
        timers().setTimeout(() => {
          throw error;
        }, 0);
        return true;
      }
    }
    return handlers !== undefined;
  }
}
return Stream;
})
