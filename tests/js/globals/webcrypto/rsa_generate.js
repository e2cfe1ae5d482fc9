// RSA keys are made on other threads: a timer of the same VU goes on meanwhile.
// console: true 1024 RSA-OAEP decrypt encrypt false true
// console: text
// console: wrapKey was dropped: true
const s = crypto.subtle;
export default async function () {
  const wanted = { name: 'RSA-OAEP', hash: 'SHA-1', modulusLength: 1024, publicExponent: new Uint8Array([1, 0, 1]) };
  const order = [];
  const timer = new Promise((resolve) => setTimeout(resolve, 0)).then(() => order.push('timer'));
  const pairs = await Promise.all([1, 2, 3].map(() => s.generateKey(wanted, false, ['encrypt', 'decrypt', 'wrapKey', 'unwrapKey'])));
  order.push('keys');
  await timer;
  const { privateKey, publicKey } = pairs[0];
  console.log(order.join() === 'timer,keys', publicKey.algorithm.modulusLength, privateKey.algorithm.name, privateKey.usages.join(), publicKey.usages.join(), privateKey.extractable, publicKey.extractable);
  const locked = await s.encrypt({ name: 'RSA-OAEP' }, publicKey, new TextEncoder().encode('text'));
  console.log(new TextDecoder().decode(await s.decrypt({ name: 'RSA-OAEP' }, privateKey, locked)));
  console.log('wrapKey was dropped:', !publicKey.usages.includes('wrapKey'));
}
