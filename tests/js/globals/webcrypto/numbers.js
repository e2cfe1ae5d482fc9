// Numbers of algorithms given as something else are converted as the language does it: truth values, texts, objects.
// console: 256,256,OperationError,OperationError,128,OperationError,SyntaxError
// console: 16 16 0
// console: 120 120 OperationError OperationError
// console: true true OperationError
// console: 8,SyntaxError,OperationError
// console: Error: mine
const s = crypto.subtle;
const each = async (list, run) => (await Promise.all(list.map((value) => run(value).catch((error) => error.name)))).join();
export default async function () {
  const make = async (length) => (await s.generateKey({ name: 'AES-GCM', length }, true, ['encrypt'])).algorithm.length;
  console.log(await each(['256', { valueOf: () => 256.9 }, true, -256, '0x80', 'x', null], make));
  const aes = await s.importKey('raw', new Uint8Array(16), 'AES-CTR', true, ['encrypt']);
  const counter = new Uint8Array(16);
  const block = (length) => s.encrypt({ name: 'AES-CTR', counter, length }, aes, counter);
  const same = new Uint8Array(await block('64')).every((byte, at, all) => byte === all[at]);
  console.log((await block('64')).byteLength, (await block(true)).byteLength, Number(!same));
  const gcm = await s.importKey('raw', new Uint8Array(16), 'AES-GCM', true, ['encrypt']);
  const tag = (tagLength) => s.encrypt({ name: 'AES-GCM', iv: new Uint8Array(12), tagLength }, gcm, new Uint8Array(0)).then((all) => all.byteLength * 8, (error) => error.name);
  console.log(await tag('120'), await tag(120.5), await tag('121'), await tag('x'));
  const word = await s.importKey('raw', counter, 'PBKDF2', false, ['deriveBits']);
  const bits = (iterations) => s.deriveBits({ name: 'PBKDF2', hash: 'SHA-256', salt: counter, iterations }, word, 64).then((all) => new Uint8Array(all).join());
  const three = await bits(3);
  console.log(three === await bits('3'), three === await bits({ toString: () => '0x3' }), await bits('none').catch((error) => error.name));
  const mac = async (length) => (await s.generateKey({ name: 'HMAC', hash: 'SHA-256', length }, true, ['sign'])).algorithm.length;
  const pss = (saltLength) => s.sign({ name: 'RSA-PSS', saltLength }, aes, counter).catch(() => s.generateKey({ name: 'AES-CBC', length: saltLength }, true, ['encrypt']));
  console.log(await each([mac(true), pss(null), pss('8')], (promise) => promise));
  await make({ valueOf() { throw new Error('mine'); } }).catch((error) => console.log(String(error)));
}
