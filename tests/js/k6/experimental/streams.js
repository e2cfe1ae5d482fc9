// Streams as the Streams Standard has them, and what k6 leaves out.
// console: start 2
// console: pull 1, pull 2
// console: 1 2 3 true
// console: cancelled because undefined
// console: TypeError TypeError TypeError x TypeError
// console: broken broken
// console: RangeError RangeError TypeError TypeError TypeError
// console: 3 1 3 size
// console: write 1, write 2, close undefined closed
// console: 1 0 null refused refused TypeError
// console: abort gone
// console: undefined gone
// console: 0 false -1 true
// console: GoError: NotSupportedError:'bytes' stream is not supported yet
// console: GoError: NotSupportedError:'byob' mode is not supported yet
// console: GoError: NotSupportedError:'tee()' is not supported yet
// console: undefined undefined undefined undefined
// console: 10000 49995000
// console: CountQueuingStrategy,ReadableStream,ReadableStreamDefaultReader,WritableStream,WritableStreamDefaultWriter
import streams, {
  ReadableStream, ReadableStreamDefaultReader, WritableStream, WritableStreamDefaultWriter, CountQueuingStrategy,
} from 'k6/experimental/streams';

const later = () => new Promise((resolve) => setTimeout(resolve, 1));
const name = (call) => {
  try {
    return call();
  } catch (error) {
    return error.name;
  }
};
const why = (promise) => promise.then((value) => value, (reason) => (reason instanceof TypeError ? 'TypeError' : String(reason?.message ?? reason)));

async function reading() {
  const seen = [];
  let n = 0;
  const stream = new ReadableStream({
    start(controller) {
      console.log('start', controller.desiredSize);
    },
    pull(controller) {
      n += 1;
      seen.push(`pull ${n}`);
      controller.enqueue(n);
      if (n === 3) controller.close();
    },
  }, { highWaterMark: 2 });
  await later();
  console.log(seen.join(', '));
  const reader = stream.getReader();
  const values = [];
  for (;;) {
    const { value, done } = await reader.read();
    if (done) break;
    values.push(value);
  }
  console.log(...values, (await reader.closed) === undefined);

  const endless = new ReadableStream({ pull: (controller) => controller.enqueue(0), cancel: (reason) => console.log('cancelled because', reason) });
  await endless.cancel();
}

async function locks() {
  const stream = new ReadableStream({ start(controller) { controller.enqueue('x'); } });
  const reader = stream.getReader();
  const second = name(() => new ReadableStreamDefaultReader(stream));
  const cancel = await why(stream.cancel());
  reader.releaseLock();
  const after = await why(reader.read());
  const other = stream.getReader();
  const { value } = await other.read();
  const pending = other.read();
  other.releaseLock();
  console.log(second, cancel, after, value, await why(pending));
}

async function failures() {
  const stream = new ReadableStream({ start(controller) { controller.enqueue(1); controller.error(new Error('broken')); } });
  const reader = stream.getReader();
  console.log(await why(reader.read()), await why(reader.closed));
  console.log(
    name(() => new ReadableStream({}, { highWaterMark: -1 })), name(() => new WritableStream({}, { highWaterMark: NaN })),
    name(() => new ReadableStream({}, { size: 1 })), name(() => new ReadableStream({ type: 'text' })), name(() => new ReadableStream(null)),
  );
  const { highWaterMark, size } = new CountQueuingStrategy({ highWaterMark: 3 });
  console.log(highWaterMark, size(), new WritableStream({}, { highWaterMark, size }).getWriter().desiredSize, size.name);
}

async function writing() {
  const seen = [];
  const writer = new WritableStream({ write: (chunk) => void seen.push(`write ${chunk}`), close: () => void seen.push('close') }).getWriter();
  writer.write(1);
  writer.write(2);
  const closed = await writer.close();
  console.log(seen.join(', '), closed, (await writer.closed) === undefined ? 'closed' : '');

  const failing = new WritableStreamDefaultWriter(new WritableStream({ write() { throw new Error('refused'); } }));
  const sizes = [failing.desiredSize];
  const write = failing.write('chunk');
  sizes.push(failing.desiredSize);
  const reason = await why(write);
  sizes.push(failing.desiredSize);
  console.log(...sizes, reason, await why(failing.closed), await why(failing.close()));
  const aborting = new WritableStream({ abort: (reason) => console.log('abort', reason) }).getWriter();
  const aborted = await aborting.abort('gone');
  console.log(aborted, await why(aborting.closed));
}

async function pressure() {
  let release;
  const writer = new WritableStream({ write: () => new Promise((resolve) => { release = resolve; }) }).getWriter();
  await writer.ready;
  const first = writer.write(1);
  const before = writer.desiredSize;
  let isReady = false;
  writer.ready.then(() => { isReady = true; });
  await later();
  const whileFull = isReady;
  writer.write(2);
  const full = writer.desiredSize;
  release();
  await first;
  await later();
  release();
  await later();
  console.log(before, whileFull, full, isReady);
}

async function absent() {
  const text = (call) => {
    try {
      return call();
    } catch (error) {
      return String(error);
    }
  };
  console.log(text(() => new ReadableStream({ type: 'bytes' })));
  console.log(text(() => new ReadableStream().getReader({ mode: 'byob' })));
  console.log(text(() => new ReadableStream().tee()));
  const stream = new ReadableStream();
  console.log(stream.pipeTo, stream.pipeThrough, globalThis.ReadableStream, streams.TransformStream);
}

async function many() {
  let n = 0;
  let sum = 0;
  const reader = new ReadableStream({ pull(controller) {
    for (let i = 0; i < 100; i++) controller.enqueue(n++);
    if (n === 10000) controller.close();
  } }, new CountQueuingStrategy({ highWaterMark: 500 })).getReader();
  for (;;) {
    const { value, done } = await reader.read();
    if (done) break;
    sum += value;
  }
  console.log(n, sum);
}

export default async function () {
  for (const test of [reading, locks, failures, writing, pressure, absent, many]) await test();
  console.log(Object.keys(streams).sort().join());
}
