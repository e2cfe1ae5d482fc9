// Globals that are made when they are first used can be replaced, defined anew and deleted before that, and are the same ever after.
// console: 5 5
// console: undefined false
// console: mine false
// console: function true true
// console: object true
// console: true true true
// console: boom function
const keys = Object.keys(globalThis);
setTimeout = 5;
delete globalThis.TextDecoder;
Object.defineProperty(globalThis, 'clearTimeout', { value: 'mine', enumerable: false });
const { TextEncoder: same } = globalThis;
const listed = [];
for (const name in globalThis) if (name === 'crypto' || name === 'setInterval') listed.push(name);

export default function () {
  console.log(setTimeout, globalThis.setTimeout);
  console.log(typeof TextDecoder, 'TextDecoder' in globalThis);
  console.log(clearTimeout, Object.keys(globalThis).includes('clearTimeout'));
  console.log(typeof TextEncoder, TextEncoder === same, new same().encode('a')[0] === 97);
  console.log(typeof crypto, crypto === globalThis.crypto);
  console.log(listed.length === 2, keys.includes('crypto'), Object.entries(globalThis).some(([name, value]) => name === 'crypto' && value === crypto));
  const { log } = console;
  try {
    null.x;
  } catch (error) {
    log('boom', typeof setInterval);
  }
}
