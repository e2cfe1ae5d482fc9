// The members of writable streams and their writers show up when they are listed.
// console: abort,close,getWriter
// console: locked
// console: abort,close,closed,desiredSize,ready,releaseLock,write
// console: function false true
import { WritableStream, WritableStreamDefaultWriter } from 'k6/experimental/streams';

export default function () {
  const stream = new WritableStream();
  const names = (object) => Object.keys(object).sort().join();
  console.log(names(stream));
  console.log(names(WritableStream.prototype));
  console.log(names(WritableStreamDefaultWriter.prototype));
  const { locked } = stream;
  stream.getWriter();
  console.log(typeof stream.abort, locked, stream.locked);
}
