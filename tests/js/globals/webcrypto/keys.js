// What a script sees of a key, and that what it does to it changes nothing.
// console: {"type":"secret","extractable":false,"algorithm":{"name":"AES-CBC","length":128},"usages":["encrypt"]}
// console: { type: "secret", extractable: false, algorithm: { name: "AES-CBC", length: 128 }, usages: [ "encrypt" ] }
// console: [object Object] object false
// console: InvalidAccessError the key is not extractable
// console: InvalidAccessError key does not contain the 'decrypt' usage
// console: 16
// console: NotSupportedError: algorithm "AES-KW" doesn't support (in implementation) operation "sign"
const s = crypto.subtle;
const say = (promise) => promise.then((value) => console.log('fine', value), (e) => console.log(e.name, e.message));
export default async function () {
  const key = await s.importKey('raw', new Uint8Array(16), 'AES-CBC', 0, new Set(['encrypt']));
  console.log(JSON.stringify(key));
  console.log(key);
  console.log(Object.prototype.toString.call(key), typeof key, 'native' in key);
  key.extractable = true;
  key.usages.push('decrypt');
  await say(s.exportKey('raw', key));
  const iv = new Uint8Array(16);
  await say(s.decrypt({ name: 'AES-CBC', iv }, key, iv));
  console.log((await s.encrypt({ name: 'AES-CBC', iv }, key, new Uint8Array(15))).byteLength);
  await s.sign('AES-KW', key, iv).catch((error) => console.log(error));
}
