// Blobs: made, cut, read, sent and received.
// console: 12 text/x [object Blob] true
// console: aé1234xy... Uint8Array(3) [ 97, 195, 169 ]
// console: [é1] [] [xy...] t/y
// console: 12 12 false
// console: 0 [] []
// console: GoError: failed to process [blobParts]: unsupported type: int64
// console: GoError: failed to process [blobParts]: unsupported type: map[string]interface {}
// console: GoError: failed to process [blobParts]: could not convert abc to []interface {}
// console: GoError: [options] must be an object
// console: TypeError
// console: came back aé1234xy... true 12 []
import { WebSocket, Blob } from 'k6/websockets';
import all from 'k6/websockets';

const show = (attempt) => {
  try {
    console.log(String(attempt()));
  } catch (error) {
    console.log(error.name === 'TypeError' ? error.name : String(error));
  }
};

export default async function () {
  const bytes = new Uint8Array([49, 50, 51, 52]);
  const blob = new Blob(['aé', bytes.buffer.slice(0, 2), bytes.subarray(2), new DataView(new Uint8Array([0, 120, 121]).buffer, 1), new Blob(['...'])], {
    type: 'text/x',
  });
  console.log(blob.size, blob.type, String(blob), blob instanceof Blob);
  console.log(await blob.text(), (await blob.bytes()).subarray(0, 3));
  const cuts = [blob.slice(1, 4), blob.slice(5, 2), blob.slice(-5, undefined, 't/y')];
  console.log(...(await Promise.all(cuts.map(async (cut) => `[${await cut.text()}]`))), cuts[2].type);
  const [one, two] = [await blob.arrayBuffer(), await blob.arrayBuffer()];
  console.log(one.byteLength, two.byteLength, one === two);
  console.log(new Blob().size, `[${new Blob([]).type}]`, `[${await new Blob(['']).text()}]`);
  show(() => new Blob([1]));
  show(() => new Blob([{}]));
  show(() => new Blob('abc'));
  show(() => new Blob([], 5));
  show(() => Blob([]));
  const socket = new WebSocket(`${__ENV.URL.replace('http', 'ws')}/ws/echo`);
  socket.onopen = () => socket.send(blob);
  socket.onmessage = async ({ data }) => {
    console.log('came back', await data.text(), data instanceof all.Blob, data.size, `[${data.type}]`);
    socket.close();
  };
}
