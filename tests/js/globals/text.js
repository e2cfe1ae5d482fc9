// TextEncoder and TextDecoder: UTF-8 and UTF-16, at once and in pieces.
// console: 226,130,172 utf-8 decode,encoding,fatal,ignoreBOM
// console: €|€ utf-16le a
// console: TypeError: decoding text: invalid byte sequence
// console: RangeError: unsupported encoding: latin1
// console: 239,191,189
export default function () {
  const encoder = new TextEncoder();
  const decoder = new TextDecoder();
  console.log(Array.from(encoder.encode('€')).join(), decoder.encoding, Object.keys(decoder).sort().join());
  const bytes = encoder.encode('€');
  const text = decoder.decode(bytes.subarray(0, 1), { stream: true }) + decoder.decode(bytes.subarray(1));
  const wide = new TextDecoder('utf-16');
  console.log(`${text}|${decoder.decode(bytes)}`, wide.encoding, wide.decode(new Uint8Array([97, 0])));
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(new Uint8Array([255]));
  } catch (error) {
    console.log(String(error));
  }
  try {
    new TextDecoder('latin1');
  } catch (error) {
    console.log(String(error));
  }
  console.log(Array.from(encoder.encode('\ud800')).join());
}
