// k6/experimental/streams: readable and writable streams as the Streams Standard describes them, as far as k6 has them:
// no byte streams, no pipes, no tee, no async iteration.
//
// Each public object is a shell around a core, which only this file sees. A core keeps the state; what the standard calls
// abstract operations are its methods.

// Promises -------------------------------------------------------------------------------------------------------

const ignore = () => {};
const resolved = (value) => new Promise((resolve) => resolve(value));

// A promise that can be settled from outside. A quiet one may be rejected without anybody looking.
class Pledge {
  constructor() {
    this.isPending = true;
    this.promise = new Promise((resolve, reject) => {
      this.settle = [resolve, reject];
    });
  }
  resolve(value) {
    this.isPending = false;
    this.settle[0](value);
  }
  reject(reason) {
    this.isPending = false;
    this.settle[1](reason);
  }
  rejectQuietly(reason) {
    this.promise.then(undefined, ignore);
    this.reject(reason);
  }
}
function fulfilledPledge() {
  const pledge = new Pledge();
  pledge.resolve(undefined);
  return pledge;
}
function quietPledge(reason) {
  const pledge = new Pledge();
  pledge.rejectQuietly(reason);
  return pledge;
}

// Calls a function of the user's whose result is awaited: what it throws is a rejection.
function promised(call) {
  try {
    return resolved(call());
  } catch (error) {
    return Promise.reject(error);
  }
}

// What users give ------------------------------------------------------------------------------------------------

function asObject(value, what) {
  if (value === undefined) return {};
  if (value === null || (typeof value !== 'object' && typeof value !== 'function')) {
    throw new TypeError(`${what} must be an object`);
  }
  return value;
}

// A member that is a function, bound to its object; without one nothing happens.
function method(object, name) {
  const value = object[name];
  if (value === undefined) return undefined;
  if (typeof value !== 'function') throw new TypeError(`${name} must be a function`);
  return (...list) => Reflect.apply(value, object, list);
}

// `[size, highWaterMark]` of a queuing strategy.
function strategyOf(value) {
  const { highWaterMark, size } = asObject(value ?? undefined, 'a queuing strategy');
  const mark = highWaterMark === undefined ? undefined : Number(highWaterMark);
  if (size !== undefined && typeof size !== 'function') throw new TypeError('size must be a function');
  return [size === undefined ? () => 1 : (chunk) => size(chunk), mark];
}
function markOf(mark) {
  if (mark === undefined) return 1;
  if (Number.isNaN(mark) || mark < 0) throw new RangeError('highWaterMark must be a number that is not negative');
  return mark;
}

// Chunks with their sizes.
class Queue {
  constructor() {
    this.clear();
  }
  clear() {
    this.entries = [];
    this.first = 0;
    this.size = 0;
  }
  get isEmpty() {
    return this.first === this.entries.length;
  }
  add(chunk, given) {
    const size = Number(given);
    if (!(size >= 0) || size === Infinity) throw new RangeError('the size of a chunk must be a finite number that is not negative');
    this.entries.push([chunk, size]);
    this.size += size;
  }
  peek() {
    return this.entries[this.first][0];
  }
  take() {
    const [chunk, size] = this.entries[this.first];
    this.entries[this.first] = undefined;
    if (++this.first > 32 && this.first * 2 > this.entries.length) {
      this.entries = this.entries.slice(this.first);
      this.first = 0;
    }
    // Sums of fractions may come out a little too small.
    this.size = Math.max(0, this.size - size);
    return chunk;
  }
}

// Shells ---------------------------------------------------------------------------------------------------------

const cores = new WeakMap();
function core(shell, Class) {
  const found = cores.get(shell);
  if (!(found instanceof Class)) throw new TypeError('this method was called on an object of another kind');
  return found;
}
// The same where a promise is expected.
function later(shell, Class, act) {
  try {
    return act(core(shell, Class));
  } catch (error) {
    return Promise.reject(error);
  }
}
// A shell that users can't construct.
function shell(Class, inner) {
  const made = Object.create(Class.prototype);
  cores.set(made, inner);
  return made;
}
const unconstructible = () => new TypeError('Illegal constructor');
const notSupported = (what) => new GoError(`NotSupportedError:${what} is not supported yet`);

// Readable streams -----------------------------------------------------------------------------------------------

const released = () => new TypeError('the reader was released: it has no stream any more');
const done = () => ({ value: undefined, done: true });

class ReadableCore {
  state = 'readable';
  error = undefined;
  reader = undefined;
  queue = new Queue();
  isStarted = false;
  isPulling = false;
  pullsAgain = false;
  closesWhenEmpty = false;

  begin(source, size, mark) {
    const [start, pull, cancel] = ['start', 'pull', 'cancel'].map((name) => method(source, name));
    Object.assign(this, { size, mark, pull, cancelSource: cancel });
    this.controller = shell(ReadableStreamDefaultController, this);
    resolved(start?.(this.controller)).then(
      () => {
        this.isStarted = true;
        this.pullIfWanted();
      },
      (error) => this.fail(error),
    );
  }

  get takesChunks() {
    return this.state === 'readable' && !this.closesWhenEmpty;
  }

  get room() {
    if (this.state === 'errored') return null;
    return this.state === 'closed' ? 0 : this.mark - this.queue.size;
  }

  get wantsMore() {
    return this.takesChunks && this.isStarted && (this.reader?.requests.length > 0 || this.room > 0);
  }

  pullIfWanted() {
    if (!this.wantsMore) return;
    if (this.isPulling) {
      this.pullsAgain = true;
      return;
    }
    this.isPulling = true;
    promised(() => this.pull?.(this.controller)).then(
      () => {
        this.isPulling = false;
        if (this.pullsAgain) {
          this.pullsAgain = false;
          this.pullIfWanted();
        }
      },
      (error) => this.fail(error),
    );
  }

  enqueue(chunk) {
    if (!this.takesChunks) throw new TypeError('the stream takes no more chunks');
    if (this.reader?.requests.length > 0) {
      this.reader.requests.shift().resolve({ value: chunk, done: false });
    } else {
      try {
        this.queue.add(chunk, this.size(chunk));
      } catch (error) {
        this.fail(error);
        throw error;
      }
    }
    this.pullIfWanted();
  }

  closeSource() {
    if (!this.takesChunks) throw new TypeError('the stream is closed already, or about to be');
    this.closesWhenEmpty = true;
    if (this.queue.isEmpty) this.close();
  }

  close() {
    this.forgetSource();
    this.state = 'closed';
    const { reader } = this;
    if (reader === undefined) return;
    reader.closed.resolve(undefined);
    for (const request of reader.requests.splice(0)) request.resolve(done());
  }

  fail(error) {
    if (this.state !== 'readable') return;
    this.queue.clear();
    this.forgetSource();
    this.state = 'errored';
    this.error = error;
    const { reader } = this;
    if (reader === undefined) return;
    reader.closed.rejectQuietly(error);
    for (const request of reader.requests.splice(0)) request.reject(error);
  }

  forgetSource() {
    this.pull = this.cancelSource = undefined;
    this.size = undefined;
  }

  read() {
    if (this.state === 'closed') return resolved(done());
    if (this.state === 'errored') return Promise.reject(this.error);
    if (this.queue.isEmpty) {
      const request = new Pledge();
      this.reader.requests.push(request);
      this.pullIfWanted();
      return request.promise;
    }
    const value = this.queue.take();
    if (this.closesWhenEmpty && this.queue.isEmpty) this.close();
    else this.pullIfWanted();
    return resolved({ value, done: false });
  }

  cancel(reason) {
    if (this.state === 'closed') return resolved(undefined);
    if (this.state === 'errored') return Promise.reject(this.error);
    const { cancelSource } = this;
    this.close();
    this.queue.clear();
    return promised(() => cancelSource?.(reason)).then(ignore);
  }
}

class ReaderCore {
  requests = [];

  constructor(stream) {
    if (stream.reader !== undefined) throw new TypeError('the stream is locked by another reader');
    this.stream = stream;
    stream.reader = this;
    if (stream.state === 'readable') this.closed = new Pledge();
    else this.closed = stream.state === 'closed' ? fulfilledPledge() : quietPledge(stream.error);
  }

  release() {
    if (this.stream === undefined) return;
    const error = released();
    if (this.stream.state === 'readable') this.closed.rejectQuietly(error);
    else this.closed = quietPledge(error);
    this.stream = this.stream.reader = undefined;
    for (const request of this.requests.splice(0)) request.reject(error);
  }
}

export class ReadableStream {
  constructor(source = undefined, strategy = undefined) {
    const given = asObject(source, 'an underlying source');
    const [size, mark] = strategyOf(strategy);
    const { type } = given;
    if (type !== undefined) {
      if (String(type) !== 'bytes') throw new TypeError(`'${String(type)}' is not a type of source`);
      throw notSupported("'bytes' stream");
    }
    const inner = new ReadableCore();
    cores.set(this, inner);
    inner.begin(given, size, markOf(mark));
  }
  get locked() {
    return core(this, ReadableCore).reader !== undefined;
  }
  cancel(reason) {
    return later(this, ReadableCore, (stream) => {
      if (stream.reader !== undefined) throw new TypeError('a locked stream can only be cancelled by its reader');
      return stream.cancel(reason);
    });
  }
  getReader(options) {
    core(this, ReadableCore);
    const { mode } = asObject(options ?? undefined, 'options');
    if (mode === undefined) return new ReadableStreamDefaultReader(this);
    if (String(mode) !== 'byob') throw new TypeError(`'${String(mode)}' is not a mode of readers`);
    throw notSupported("'byob' mode");
  }
  tee() {
    core(this, ReadableCore);
    throw notSupported("'tee()'");
  }
}

export class ReadableStreamDefaultReader {
  constructor(stream) {
    cores.set(this, new ReaderCore(core(stream, ReadableCore)));
  }
  get closed() {
    return later(this, ReaderCore, (reader) => reader.closed.promise);
  }
  cancel(reason) {
    return later(this, ReaderCore, ({ stream }) => {
      if (stream === undefined) throw released();
      return stream.cancel(reason);
    });
  }
  read() {
    return later(this, ReaderCore, ({ stream }) => {
      if (stream === undefined) throw released();
      return stream.read();
    });
  }
  releaseLock() {
    core(this, ReaderCore).release();
  }
}

class ReadableStreamDefaultController {
  constructor() {
    throw unconstructible();
  }
  get desiredSize() {
    return core(this, ReadableCore).room;
  }
  close() {
    core(this, ReadableCore).closeSource();
  }
  enqueue(chunk) {
    core(this, ReadableCore).enqueue(chunk);
  }
  error(reason) {
    core(this, ReadableCore).fail(reason);
  }
}

// Writable streams -----------------------------------------------------------------------------------------------

const unlocked = () => new TypeError('the writer was released: it has no stream any more');
// What stands in the queue for the end.
const END = Symbol('end');

class WritableCore {
  state = 'writable';
  error = undefined;
  writer = undefined;
  queue = new Queue();
  isStarted = false;
  isFull = false;
  // Writes that wait, the one that is under way; the same for the end.
  writes = [];
  writing = undefined;
  closing = undefined;
  ending = undefined;
  aborting = undefined;

  begin(sink, size, mark) {
    const [start, write, close, abort] = ['start', 'write', 'close', 'abort'].map((name) => method(sink, name));
    Object.assign(this, { size, mark, writeSink: write, closeSink: close, abortSink: abort });
    this.controller = shell(WritableStreamDefaultController, this);
    this.feelPressure();
    resolved(start?.(this.controller)).then(
      () => {
        this.isStarted = true;
        this.advance();
      },
      (error) => {
        this.isStarted = true;
        this.reject(error);
      },
    );
  }

  get closes() {
    return this.closing !== undefined || this.ending !== undefined;
  }

  get room() {
    if (this.state === 'errored' || this.state === 'erroring') return null;
    return this.state === 'closed' ? 0 : this.mark - this.queue.size;
  }

  feelPressure() {
    const isFull = this.mark - this.queue.size <= 0;
    if (this.writer !== undefined && isFull !== this.isFull) {
      if (isFull) this.writer.ready = new Pledge();
      else this.writer.ready.resolve(undefined);
    }
    this.isFull = isFull;
  }

  sizeOf(chunk) {
    // A stream that has failed asks nobody.
    if (this.size === undefined) return 1;
    try {
      return this.size(chunk);
    } catch (error) {
      this.failIfWritable(error);
      return 1;
    }
  }

  write(chunk, writer) {
    const size = this.sizeOf(chunk);
    // Asking for the size ran code of the user's.
    if (writer.stream !== this) throw unlocked();
    if (this.state === 'errored') throw this.error;
    if (this.closes || this.state === 'closed') throw new TypeError('the stream is closed, or about to be');
    if (this.state === 'erroring') throw this.error;
    const request = new Pledge();
    this.writes.push(request);
    try {
      this.queue.add(chunk, size);
    } catch (error) {
      this.failIfWritable(error);
      return request.promise;
    }
    this.feelPressure();
    this.advance();
    return request.promise;
  }

  close() {
    if (this.closes) throw new TypeError('the stream is being closed already');
    if (this.state === 'closed' || this.state === 'errored') throw new TypeError(`the stream is ${this.state} already`);
    const request = (this.closing = new Pledge());
    if (this.writer !== undefined && this.isFull && this.state === 'writable') this.writer.ready.resolve(undefined);
    this.queue.add(END, 0);
    this.advance();
    return request.promise;
  }

  abort(reason) {
    if (this.state === 'closed' || this.state === 'errored') return resolved(undefined);
    if (this.aborting !== undefined) return this.aborting.pledge.promise;
    const isFailing = this.state === 'erroring';
    const pledge = new Pledge();
    this.aborting = { pledge, reason: isFailing ? undefined : reason, isFailing };
    if (!isFailing) this.startFailing(reason);
    return pledge.promise;
  }

  // The next thing in the queue, if the sink is free.
  advance() {
    if (!this.isStarted || this.writing !== undefined) return;
    if (this.state === 'erroring') {
      this.finishFailing();
      return;
    }
    if (this.state !== 'writable' || this.queue.isEmpty) return;
    const chunk = this.queue.peek();
    if (chunk === END) this.sendEnd();
    else this.send(chunk);
  }

  send(chunk) {
    this.writing = this.writes.shift();
    promised(() => this.writeSink?.(chunk, this.controller)).then(
      () => {
        this.writing.resolve(undefined);
        this.writing = undefined;
        this.queue.take();
        if (!this.closes && this.state === 'writable') this.feelPressure();
        this.advance();
      },
      (error) => {
        if (this.state === 'writable') this.forgetSink();
        this.writing.reject(error);
        this.writing = undefined;
        this.reject(error);
      },
    );
  }

  sendEnd() {
    this.ending = this.closing;
    this.closing = undefined;
    this.queue.take();
    const ended = promised(() => this.closeSink?.());
    this.forgetSink();
    ended.then(
      () => {
        this.ending.resolve(undefined);
        this.ending = undefined;
        if (this.state === 'erroring') {
          // The end was reached after all.
          this.error = undefined;
          this.aborting?.pledge.resolve(undefined);
          this.aborting = undefined;
        }
        this.state = 'closed';
        this.writer?.closed.resolve(undefined);
      },
      (error) => {
        this.ending.reject(error);
        this.ending = undefined;
        this.aborting?.pledge.reject(error);
        this.aborting = undefined;
        this.reject(error);
      },
    );
  }

  failIfWritable(error) {
    if (this.state !== 'writable') return;
    this.forgetSink();
    this.startFailing(error);
  }

  // The sink has failed.
  reject(error) {
    if (this.state === 'writable') this.startFailing(error);
    else this.finishFailing();
  }

  startFailing(reason) {
    this.state = 'erroring';
    this.error = reason;
    this.writer?.notReady(reason);
    if (this.writing === undefined && this.ending === undefined && this.isStarted) this.finishFailing();
  }

  finishFailing() {
    this.state = 'errored';
    this.queue.clear();
    for (const request of this.writes.splice(0)) request.reject(this.error);
    const { aborting } = this;
    this.aborting = undefined;
    if (aborting === undefined) {
      this.rejectClosed();
      return;
    }
    if (aborting.isFailing) {
      aborting.pledge.reject(this.error);
      this.rejectClosed();
      return;
    }
    const aborted = promised(() => this.abortSink?.(aborting.reason));
    this.forgetSink();
    aborted.then(
      () => {
        aborting.pledge.resolve(undefined);
        this.rejectClosed();
      },
      (error) => {
        aborting.pledge.reject(error);
        this.rejectClosed();
      },
    );
  }

  rejectClosed() {
    this.closing?.reject(this.error);
    this.closing = undefined;
    this.writer?.closed.rejectQuietly(this.error);
  }

  forgetSink() {
    this.writeSink = this.closeSink = this.abortSink = undefined;
    this.size = undefined;
  }
}

class WriterCore {
  constructor(stream) {
    if (stream.writer !== undefined) throw new TypeError('the stream is locked by another writer');
    this.stream = stream;
    stream.writer = this;
    const { state, error } = stream;
    const isReady = state === 'closed' || (state === 'writable' && (stream.closes || !stream.isFull));
    if (isReady) this.ready = fulfilledPledge();
    else this.ready = state === 'writable' ? new Pledge() : quietPledge(error);
    if (state === 'closed') this.closed = fulfilledPledge();
    else this.closed = state === 'errored' ? quietPledge(error) : new Pledge();
  }

  notReady(reason) {
    if (this.ready.isPending) this.ready.rejectQuietly(reason);
    else this.ready = quietPledge(reason);
  }

  release() {
    if (this.stream === undefined) return;
    const error = unlocked();
    this.notReady(error);
    if (this.closed.isPending) this.closed.rejectQuietly(error);
    else this.closed = quietPledge(error);
    this.stream = this.stream.writer = undefined;
  }
}

const ofWriter = (writer) => {
  if (writer.stream === undefined) throw unlocked();
  return writer.stream;
};

export class WritableStream {
  constructor(sink = undefined, strategy = undefined) {
    const given = asObject(sink, 'an underlying sink');
    const [size, mark] = strategyOf(strategy);
    if (given.type !== undefined) throw new RangeError('an underlying sink has no type');
    const inner = new WritableCore();
    cores.set(this, inner);
    inner.begin(given, size, markOf(mark));
  }
  get locked() {
    return core(this, WritableCore).writer !== undefined;
  }
  abort(reason) {
    return later(this, WritableCore, (stream) => {
      if (stream.writer !== undefined) throw new TypeError('a locked stream can only be aborted by its writer');
      return stream.abort(reason);
    });
  }
  close() {
    return later(this, WritableCore, (stream) => {
      if (stream.writer !== undefined) throw new TypeError('a locked stream can only be closed by its writer');
      return stream.close();
    });
  }
  getWriter() {
    return new WritableStreamDefaultWriter(this);
  }
}

export class WritableStreamDefaultWriter {
  constructor(stream) {
    cores.set(this, new WriterCore(core(stream, WritableCore)));
  }
  get closed() {
    return later(this, WriterCore, (writer) => writer.closed.promise);
  }
  get ready() {
    return later(this, WriterCore, (writer) => writer.ready.promise);
  }
  get desiredSize() {
    return ofWriter(core(this, WriterCore)).room;
  }
  abort(reason) {
    return later(this, WriterCore, (writer) => ofWriter(writer).abort(reason));
  }
  close() {
    return later(this, WriterCore, (writer) => ofWriter(writer).close());
  }
  releaseLock() {
    core(this, WriterCore).release();
  }
  write(chunk) {
    return later(this, WriterCore, (writer) => ofWriter(writer).write(chunk, writer));
  }
}

class WritableStreamDefaultController {
  constructor() {
    throw unconstructible();
  }
  error(reason) {
    core(this, WritableCore).failIfWritable(reason);
  }
}

// Strategies -----------------------------------------------------------------------------------------------------

const marks = new WeakMap();
const one = Object.defineProperty(() => 1, 'name', { value: 'size' });

export class CountQueuingStrategy {
  constructor(init) {
    const { highWaterMark } = asObject(init ?? null, 'what a strategy is made of');
    if (highWaterMark === undefined) throw new TypeError('a strategy needs a highWaterMark');
    marks.set(this, Number(highWaterMark));
  }
  get highWaterMark() {
    return marks.get(this);
  }
  get size() {
    return one;
  }
}

export default {
  ReadableStream, ReadableStreamDefaultReader, WritableStream, WritableStreamDefaultWriter, CountQueuingStrategy,
};
