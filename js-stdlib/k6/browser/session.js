// The connection to a browser as the other parts see it: errors, waiting, sessions. An expression, called with what the parts share.
(env) => {
const { native, call, primordials } = env;
const { Error, JSONStringify, Number, ObjectDefineProperty, ObjectKeys, Promise, PromisePrototypeThen, PromiseResolve, String, StringPrototypeIndexOf, StringPrototypeSlice } = primordials;

// What promises reject with: an error whose text is its message, without the name of a class before it.
class BrowserError extends Error {
  constructor(message) {
    super(message);
    ObjectDefineProperty(this, 'stack', { __proto__: null, value: message, writable: true, configurable: true });
  }
  toString() { return this.message; }
}
ObjectDefineProperty(BrowserError.prototype, 'name', { __proto__: null, value: 'BrowserError', writable: true, configurable: true });
ObjectDefineProperty(BrowserError.prototype, 'toString', { __proto__: null, value: BrowserError.prototype.toString, writable: true, configurable: true, enumerable: false });

const push = (list, value) => { list[list.length] = value; };
const then = (promise, done, failed) => call(PromisePrototypeThen, promise, done, failed);
const ignore = () => {};
// A promise whose failure is nobody's business.
const quiet = (promise) => then(promise, undefined, ignore);
const nothing = (value) => value === undefined || value === null;
const messageOf = (error) => (error instanceof Error ? error.message : String(error));

function map(list, make) {
  const made = [];
  for (let at = 0; at < list.length; at++) made[at] = make(list[at], at);
  return made;
}

function select(list, holds) {
  const found = [];
  for (let at = 0; at < list.length; at++) if (holds(list[at])) push(found, list[at]);
  return found;
}

const without = (list, value) => select(list, (known) => known !== value);
const includes = (text, part) => call(StringPrototypeIndexOf, text, part) >= 0;
const startsWith = (text, part) => call(StringPrototypeSlice, text, 0, part.length) === part;

// The results of all promises; the first failure is that of the whole.
function all(promises) {
  const results = [];
  let left = promises.length;
  return new Promise((resolve, reject) => {
    if (left === 0) resolve(results);
    for (let at = 0; at < promises.length; at++) {
      then(promises[at], (value) => {
        results[at] = value;
        if (--left === 0) resolve(results);
      }, reject);
    }
  });
}

// Properties that a script does not see when it looks through an object.
function hide(object, fields) {
  const names = ObjectKeys(fields);
  for (let at = 0; at < names.length; at++) {
    ObjectDefineProperty(object, names[at], { __proto__: null, value: fields[names[at]], writable: true, configurable: true, enumerable: false });
  }
  return object;
}

// Puts `context: ` before the message of what `promise` fails with.
const within = (context, promise) => then(promise, undefined, (error) => { throw wrapped(context, error); });
function wrapped(context, error) {
  // What is wrong with an argument is said without where it was given.
  if (error instanceof GoError) return error;
  const made = new BrowserError(`${context}: ${messageOf(error)}`);
  if (error?.code !== undefined) hide(made, { code: error.code });
  return made;
}

// A time limit in milliseconds: that of the options, else the usual one; 0 is none.
function timeoutOf(options, usual) {
  const given = options?.timeout;
  if (nothing(given)) return usual;
  const millis = Number(given);
  return millis > 0 ? millis : 0;
}
const span = (millis) => native.span(millis);
const timedOut = (context, millis) => new BrowserError(`${context}: timed out after ${span(millis)}`);

// What a handler throws fails the iteration, as in any other callback.
function guarded(handler, given, from) {
  try {
    if (from === undefined) handler(given);
    else handler(given, from);
  } catch (error) {
    then(call(PromiseResolve, Promise), () => { throw error; });
  }
}

// What is said of a session that has ended.
const GONE = 'Target page, context or browser has been closed';

// A VU's link to a browser, for one iteration.
class Link {
  #native;
  #commands = { __proto__: null };
  #timers = { __proto__: null };
  #sessions = { __proto__: null };
  #waits = [];
  #pumps = false;
  // Why nothing more comes.
  ended;
  // Called for each target that was attached to.
  onAttached = ignore;

  constructor(resource) {
    this.#native = resource;
  }

  get isOpen() { return this.ended === undefined && native.isOpen(this.#native); }

  session(id) { return (this.#sessions[id] ??= new Session(this, id)); }

  // Sends a command; a promise of its result. The iteration waits for it, unless it is one that something else waits for.
  send(sessionId, method, params, isFree) {
    return new Promise((resolve, reject) => {
      if (!this.isOpen) return reject(new BrowserError(this.ended ?? 'the browser has been closed'));
      const id = native.send(this.#native, sessionId, method, params === undefined ? '' : JSONStringify(params), isFree === true);
      this.#commands[id] = { resolve, reject, sessionId };
      this.#pump();
    });
  }

  subscribe(sessionId, event, texts) { if (this.isOpen) native.subscribe(this.#native, sessionId, event, texts); }
  unsubscribe(sessionId, event) { if (this.isOpen) native.unsubscribe(this.#native, sessionId, event); }
  nameMetrics(sessionId, named) { native.nameMetrics(this.#native, sessionId, named); }
  vitalsWorld(sessionId, world) { native.vitalsWorld(this.#native, sessionId, world); }
  close() { return native.close(this.#native); }

  // Calls `done` in so many milliseconds; the number of the timer.
  after(millis, done) {
    const id = native.after(this.#native, millis);
    this.#timers[id] = done;
    this.#pump();
    return id;
  }

  cancel(id) {
    if (this.#timers[id] === undefined) return;
    delete this.#timers[id];
    native.cancel(this.#native, id);
  }

  // A promise of what `start` finds: it is given two functions, one that resolves and one that rejects, and returns what
  // is to be done at the end. After `millis` it is rejected with what `late` makes; with 0 never. The iteration waits for it.
  wait(start, millis, late) {
    return new Promise((resolve, reject) => {
      if (!this.isOpen) return reject(new BrowserError(this.ended ?? 'the browser has been closed'));
      let isDone = false, stop, timer;
      const settling = (settle) => (value) => {
        if (isDone) return;
        isDone = true;
        native.hold(this.#native, false);
        if (timer !== undefined) this.cancel(timer);
        this.#waits = without(this.#waits, bad);
        if (stop !== undefined) stop();
        settle(value);
      };
      const good = settling(resolve), bad = settling(reject);
      native.hold(this.#native, true);
      push(this.#waits, bad);
      if (millis > 0) timer = this.after(millis, () => bad(late()));
      this.#pump();
      const ending = start(good, bad);
      if (isDone && ending !== undefined) ending();
      else stop = ending;
    });
  }

  // What `promise` comes to, if it does so in time.
  limit(promise, millis, late) {
    return this.wait((good, bad) => { then(promise, good, bad); }, millis, late);
  }

  // Nothing, after so many milliseconds.
  pause(millis) {
    if (!(millis > 0)) return call(PromiseResolve, Promise);
    return this.wait((good) => {
      const timer = this.after(millis, () => good());
      return () => this.cancel(timer);
    }, 0);
  }

  #pump() {
    if (this.#pumps || this.ended !== undefined) return;
    this.#pumps = true;
    then(native.next(this.#native), (batch) => {
      this.#pumps = false;
      // Its iteration has ended.
      if (batch === undefined || batch === null) return;
      this.#pump();
      for (let at = 0; at < batch.length; at++) this.#take(batch[at]);
    });
  }

  #take(item) {
    if (item.id !== undefined) return this.#reply(item);
    if (item.method !== undefined) return this.#event(item);
    if (item.timer !== undefined) {
      const done = this.#timers[item.timer];
      delete this.#timers[item.timer];
      if (done !== undefined) done();
    } else if (item.metric !== undefined) {
      const asked = this.#sessions[item.sessionId]?.onMetric;
      native.recordNamed(this.#native, item.metric, asked === undefined ? undefined : asked(item));
    } else if (item.ended !== undefined) this.#end(item.ended);
  }

  #reply({ id, result, error }) {
    const command = this.#commands[id];
    if (command === undefined) return;
    delete this.#commands[id];
    if (error === undefined) return command.resolve(result);
    const failed = new BrowserError(String(error.data === undefined ? error.message : `${error.message} ${error.data}`));
    command.reject(hide(failed, { code: error.code }));
  }

  #event({ method, params, sessionId }) {
    if (method === 'Target.attachedToTarget') return this.onAttached(params, sessionId ?? '');
    if (method === 'Target.detachedFromTarget') {
      const session = this.#sessions[params.sessionId];
      delete this.#sessions[params.sessionId];
      return session === undefined ? this.giveUp(params.sessionId) : session.end();
    }
    this.#sessions[sessionId ?? '']?.emit(method, params);
  }

  // What was asked of a session that has ended is never answered.
  giveUp(sessionId, gone = GONE) {
    const ids = ObjectKeys(this.#commands);
    for (let at = 0; at < ids.length; at++) {
      const command = this.#commands[ids[at]];
      if (command.sessionId !== sessionId) continue;
      delete this.#commands[ids[at]];
      native.giveUp(this.#native, Number(ids[at]));
      command.reject(new BrowserError(gone));
    }
  }

  #end(reason) {
    this.ended = reason;
    const error = () => new BrowserError(reason);
    const ids = ObjectKeys(this.#commands);
    for (let at = 0; at < ids.length; at++) this.#commands[ids[at]].reject(error());
    this.#commands = { __proto__: null };
    const waits = this.#waits;
    for (let at = 0; at < waits.length; at++) waits[at](error());
    const sessions = ObjectKeys(this.#sessions);
    for (let at = 0; at < sessions.length; at++) this.#sessions[sessions[at]].end();
  }
}

// A session: what is said to one target, and what it says.
class Session {
  #handlers = { __proto__: null };
  #endings = [];
  isOpen = true;
  onMetric;
  // What commands say once it has ended.
  gone = GONE;
  // The worlds of its frames, by number.
  worlds = { __proto__: null };

  constructor(link, id) {
    this.link = link;
    this.id = id;
  }

  send(method, params, isFree) {
    if (!this.isOpen && this.link.ended === undefined) return new Promise((_, reject) => reject(new BrowserError(this.gone)));
    return this.link.send(this.id, method, params, isFree);
  }

  // Such events are handled; where texts are given, only messages that have one of them in them are sure to come.
  on(event, handler, texts) {
    const handlers = (this.#handlers[event] ??= []);
    push(handlers, { handler, texts });
    this.#subscribe(event);
  }

  off(event, handler) {
    const handlers = this.#handlers[event];
    if (handlers === undefined) return;
    this.#handlers[event] = select(handlers, (known) => known.handler !== handler);
    this.#subscribe(event);
  }

  // The first such event that `holds`.
  once(event, holds, millis, late) {
    return this.link.wait((good) => {
      const handler = (params) => { if (holds(params)) good(params); };
      this.on(event, handler);
      return () => this.off(event, handler);
    }, millis, late);
  }

  #subscribe(event) {
    const handlers = this.#handlers[event];
    if (handlers.length === 0) {
      delete this.#handlers[event];
      return this.link.unsubscribe(this.id, event);
    }
    const wanted = [];
    for (let at = 0; at < handlers.length; at++) {
      const texts = handlers[at].texts;
      if (texts === undefined) return this.link.subscribe(this.id, event, []);
      for (let next = 0; next < texts.length; next++) push(wanted, texts[next]);
    }
    this.link.subscribe(this.id, event, wanted);
  }

  emit(event, params) {
    const handlers = this.#handlers[event];
    for (let at = 0; handlers !== undefined && at < handlers.length; at++) guarded(handlers[at].handler, params, this);
  }

  whenEnded(done) {
    if (this.isOpen) push(this.#endings, done);
    else done();
  }

  end() {
    if (!this.isOpen) return;
    this.isOpen = false;
    for (let at = 0; at < this.#endings.length; at++) this.#endings[at]();
    this.#endings = [];
    this.link.giveUp(this.id, this.gone);
  }
}

return { BrowserError, Link, all, guarded, hide, ignore, includes, map, messageOf, nothing, push, quiet, select, span, startsWith, then, timedOut, timeoutOf, within, without, wrapped };
}
