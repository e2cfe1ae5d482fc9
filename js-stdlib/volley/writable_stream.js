// Writable streams and their writers, by the Streams Standard, without abort signals.
import {
  resolved, Pledge, fulfilledPledge, quietPledge, promised, asObject, method, strategyOf, markOf, Queue, remember, core,
  later, shell, unconstructible, chain, takeAll, takeFirst, rejectAll,
} from 'volley/streams';
import { primordials } from 'native:engine';

const {
  ObjectDefineProperty, ObjectGetOwnPropertyDescriptor, ObjectGetOwnPropertyNames, ObjectKeys, RangeError, TypeError,
} = primordials;

const unlocked = () => new TypeError('the writer was released: it has no stream any more');
// The queue entry that marks the end.
const END = primordials.Symbol('end');

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
    const start = method(sink, 'start');
    this.size = size;
    this.mark = mark;
    this.writeSink = method(sink, 'write');
    this.closeSink = method(sink, 'close');
    this.abortSink = method(sink, 'abort');
    this.controller = shell(WritableStreamDefaultController, this);
    this.feelPressure();
    chain(
      resolved(start?.(this.controller)),
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
    // A stream that has failed asks no strategy.
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
    this.writes[this.writes.length] = request;
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
    this.writing = takeFirst(this, 'writes');
    chain(
      promised(() => this.writeSink?.(chunk, this.controller)),
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
    chain(
      ended,
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
    rejectAll(takeAll(this, 'writes'), this.error);
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
    chain(
      aborted,
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
    const { size, mark } = strategyOf(strategy);
    if (given.type !== undefined) throw new RangeError('an underlying sink has no type');
    const inner = new WritableCore();
    remember(this, inner);
    for (let at = 0; at < ownNames.length; at++) ObjectDefineProperty(this, ownNames[at], own[ownNames[at]]);
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
    remember(this, new WriterCore(core(stream, WritableCore)));
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

// Scripts see all members when they list them. As in k6, the methods of a stream are its own, those of a writer its class's.
function taken(prototype) {
  const members = { __proto__: null };
  const names = ObjectGetOwnPropertyNames(prototype);
  for (let at = 0; at < names.length; at++) {
    const name = names[at];
    if (name === 'constructor') continue;
    members[name] = { ...ObjectGetOwnPropertyDescriptor(prototype, name), enumerable: true, __proto__: null };
    delete prototype[name];
  }
  return members;
}
function define(object, members) {
  const names = ObjectKeys(members);
  for (let at = 0; at < names.length; at++) ObjectDefineProperty(object, names[at], members[names[at]]);
}
define(WritableStreamDefaultWriter.prototype, taken(WritableStreamDefaultWriter.prototype));
const { locked, ...own } = taken(WritableStream.prototype);
const ownNames = ObjectKeys(own);
ObjectDefineProperty(WritableStream.prototype, 'locked', locked);

class WritableStreamDefaultController {
  constructor() {
    throw unconstructible();
  }
  error(reason) {
    core(this, WritableCore).failIfWritable(reason);
  }
}
