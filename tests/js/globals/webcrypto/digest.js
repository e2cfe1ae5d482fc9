// crypto.subtle.digest: FIPS 180 for each hash, of whole buffers, and what is no data.
// console: sha-1 a9993e364706816aba3e25717850c26c9cd0d89d
// console: SHA-256 ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad
// console: SHA-384 cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7
// console: SHA-512 ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f
// console: true true
// console: a100000
// console: OperationError: data is neither an ArrayBuffer, nor a TypedArray nor DataView | object OperationError false
// console: data must be an ArrayBuffer, TypedArray, or DataView
// console: data must be an ArrayBuffer, TypedArray, or DataView
// console: data must be an ArrayBuffer, TypedArray, or DataView
// console: NotSupportedError: algorithm "MD5" doesn't support (in implementation) operation "digest"
// console: NotSupportedError: algorithm "HMAC" doesn't support (in implementation) operation "digest"
// console: SyntaxError: algorithm cannot be interpreted as a string or an object
// console: SyntaxError: algorithm cannot be interpreted as a string or an object
// console: NotSupportedError: algorithm "" doesn't support (in implementation) operation "digest"
// console: Error: mine
// console: {"name":"NotSupportedError","message":"algorithm \"MD5\" doesn't support (in implementation) operation \"digest\""}
const hex = (buffer) => Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, '0')).join('');
const { digest } = crypto.subtle;
export default async function () {
  const abc = new TextEncoder().encode('abc');
  for (const name of ['sha-1', 'SHA-256', 'SHA-384', 'SHA-512']) console.log(name, hex(await digest({ name }, abc)));
  // k6 takes the buffer behind a view; an object may have its members from elsewhere.
  const all = hex(await digest('SHA-1', abc.buffer));
  class Sha { get name() { return 'SHA-1'; } }
  console.log(hex(await digest(new Sha(), new Uint8Array(abc.buffer, 1, 1))) === all, digest('SHA-1', abc) instanceof Promise);
  // More than is hashed between two turns.
  const long = await digest('SHA-256', new Uint8Array(1e6).fill(97));
  console.log(hex(long) === 'cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0' ? 'a100000' : hex(long));
  await digest('SHA-1', new DataView(abc.buffer)).catch((e) => console.log(`${e} | ${typeof e} ${e.name} ${e instanceof Error}`));
  for (const wrong of ['abc', 5, { length: 1 }]) await digest('SHA-1', wrong).catch((e) => console.log(String(e)));
  for (const wrong of ['MD5', 'hmac', 5, null, {}]) await digest(wrong, abc).catch((e) => console.log(String(e)));
  await digest({ get name() { throw new Error('mine'); } }, abc).catch((e) => console.log(String(e)));
  await digest('MD5', abc).catch((e) => console.log(JSON.stringify(e)));
}
