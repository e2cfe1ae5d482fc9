// Base64 in four spellings; a faulty text is refused with the place of the fault.
// console: hello ArrayBuffer 5
// console: ab ab ab
// console: illegal base64 data at input byte 4
// console: invalid type map[string]interface {}, expected string, []byte or ArrayBuffer
// console: invalid type []uint16, expected string, []byte or ArrayBuffer
import encoding, { b64decode } from 'k6/encoding';

const message = (call) => {
  try { return call(); } catch (error) { return error.message; }
};

export default function () {
  const bytes = b64decode('aGVsbG8=');
  console.log(b64decode('aGVs\nbG8=', 'std', 's'), bytes.constructor.name, bytes.byteLength);
  console.log(b64decode('YWI', 'rawstd', 's'), b64decode('YWI', 'rawurl', 's'), b64decode('YWI=', 'url', 's'));
  console.log(message(() => b64decode('aGVsbG8')));
  console.log(message(() => encoding.b64encode({})));
  console.log(message(() => encoding.b64encode(new Uint16Array(1))));
}
