// Streams of k6/net/grpc. Rust says what happens next when it is asked; this half calls the handlers. An expression,
// called with the native half and what it shares with grpc.js.
((native, { NATIVE, text, json, timers }) => {
const kinds = ['data', 'error', 'end', 'status'];

class Stream {
  #handlers = {};

  constructor(client, method, params) {
    Object.defineProperty(this, NATIVE, { value: native.openStream(client, text(method), params) });
    this.#pull();
  }

  on(event, handler) {
    if (typeof handler !== 'function') throw new GoError(`handler for "${event}" event isn't a callable function`);
    if (!kinds.includes(event)) {
      native.warn(`can't register ${event} event handler: unknown GRPC stream's event type: ${event}`);
      return;
    }
    (this.#handlers[event] ??= []).push(handler);
  }

  write(message) {
    if (message === undefined || message === null) {
      native.warn("can't send empty message");
      return;
    }
    native.writeStream(this, ...json(message));
  }

  end() {
    native.endStream(this);
  }

  #pull() {
    native.nextEvent(this)?.then((event) => {
      // Asked for before the handlers run: what is asked for ends with the iteration.
      this.#pull();
      const [ts, message, error, why] = event;
      if (event.length === 2 && message !== undefined) return this.#call('data', message, ts);
      if (error !== undefined && !this.#call('error', error, ts)) {
        native.warn(`no handlers for error registered, but an error happened: ${why}`);
      }
      this.#call('end', {}, ts);
    });
  }

  // Calls the handlers of an event; false if there are none.
  #call(event, value, ts) {
    const handlers = this.#handlers[event];
    for (const handler of handlers ?? []) {
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
