// How values are written.
// console: text 1 1.5 true null undefined
// console: { a: 1, b: [ 1, "x", { c: null } ], f: [object Function] }
// console: {} []
// console: Error: what
// console: debug is silent
export default function () {
  console.log('text', 1, 1.5, true, null, undefined);
  console.info({ a: 1, b: [1, 'x', { c: null }], f: () => 0 });
  console.warn({}, []);
  console.error(new Error('what'));
  console.debug('nobody sees this');
  console.log('debug is silent');
}
