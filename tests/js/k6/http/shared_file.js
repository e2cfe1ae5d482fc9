// A large file opened as bytes is an ArrayBuffer like any other, and what one VU writes no other sees.
// console: fine
// console: fine
// console: fine
// console: fine
import http from 'k6/http';
import { fail } from 'k6';
import exec from 'k6/execution';

export const options = { scenarios: { s: { executor: 'per-vu-iterations', vus: 2, iterations: 2 } } };

const file = open('../../../../Cargo.lock', 'b');
const copy = open('../../../../Cargo.lock', 'b');
const length = open('../../../../Cargo.lock').length;

const same = (what, seen, expected) => {
  if (seen !== expected) fail(`${what} is ${seen} instead of ${expected}`);
};
const sum = (buffer) => new Uint8Array(buffer).reduce((total, byte) => total + byte, 0);
// What the server added up.
const sent = (body) => Number(http.post(`${__ENV.URL}/sum`, body).body);

export default function () {
  const id = exec.vu.idInTest;
  same('an ArrayBuffer', file instanceof ArrayBuffer, true);
  same('its length', file.byteLength, length);
  const bytes = new Uint8Array(file);
  const part = http.file(file, 'f');
  same('the data of a file', part.data, file);
  if (__ITER === 0) {
    same('what others wrote', sum(file), sum(copy));
    same('an upload', sent(file), sum(copy));
    same('an upload of a part', sent(bytes.subarray(1000, 2000)), sum(copy.slice(1000, 2000)));
    bytes[length - 1] = bytes[length - 1] + id;
  }
  const own = sum(file);
  same('an upload after writing', sent(file), own);
  same('a form after writing', sent({ part }), own);
  same('a copy', sum(file.slice()), own);
  console.log('fine');
}
