// Whatever is thrown, the log line has a text.
// args: --iterations 7
// log: Symbol(s)
// log: null
// log: 5
// log: [object Object]
// log: ""
// log: undefined
const odd = [Symbol('s'), null, 5, { a: 1 }, Object.create(null), '', undefined];
export default function () {
  throw odd[__ITER];
}
