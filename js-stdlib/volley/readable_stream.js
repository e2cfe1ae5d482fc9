// Readable streams and their readers, by the Streams Standard: no byte streams, no pipes, no tee, no async iteration.
import {
  ignore, resolved, Pledge, fulfilledPledge, quietPledge, promised, asObject, method, strategyOf, markOf, Queue,
  remember, core, later, shell, unconstructible, notSupported, rejected, chain, takeAll, takeFirst, rejectAll,
} from 'volley/streams';
import { primordials } from 'native:engine';

const { String, TypeError } = primordials;

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
    const start = method(source, 'start');
    this.size = size;
    this.mark = mark;
    this.pull = method(source, 'pull');
    this.cancelSource = method(source, 'cancel');
    this.controller = shell(ReadableStreamDefaultController, this);
    chain(
      resolved(start?.(this.controller)),
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
    chain(
      promised(() => this.pull?.(this.controller)),
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
      takeFirst(this.reader, 'requests').resolve({ value: chunk, done: false });
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
    const waiting = takeAll(reader, 'requests');
    for (let at = 0; at < waiting.length; at++) waiting[at].resolve(done());
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
    rejectAll(takeAll(reader, 'requests'), error);
  }

  forgetSource() {
    this.pull = this.cancelSource = undefined;
    this.size = undefined;
  }

  read() {
    if (this.state === 'closed') return resolved(done());
    if (this.state === 'errored') return rejected(this.error);
    if (this.queue.isEmpty) {
      const request = new Pledge();
      const { requests } = this.reader;
      requests[requests.length] = request;
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
    if (this.state === 'errored') return rejected(this.error);
    const { cancelSource } = this;
    this.close();
    this.queue.clear();
    return chain(promised(() => cancelSource?.(reason)), ignore);
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
    rejectAll(takeAll(this, 'requests'), error);
  }
}

export class ReadableStream {
  constructor(source = undefined, strategy = undefined) {
    const given = asObject(source, 'an underlying source');
    const { size, mark } = strategyOf(strategy);
    const { type } = given;
    if (type !== undefined) {
      if (String(type) !== 'bytes') throw new TypeError(`'${String(type)}' is not a type of source`);
      throw notSupported("'bytes' stream");
    }
    const inner = new ReadableCore();
    remember(this, inner);
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
    remember(this, new ReaderCore(core(stream, ReadableCore)));
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
