// console: cannot read property 'c' of undefined...: t.a.b is undefined...
// console: cannot read property 'c' of undefined...: t.a.b is undefined...
// console: cannot read property 'c' of undefined...: t.a.b is undefined...
// console: t.go is not a function
// console: ...one_line.js:1:...
import { call, read } from './data/one_line.js';
import { read as readAfterMark } from './data/one_line_with_a_bom.js';
const { read: readCommon } = require('./data/one_line_of_commonjs.js');

function told(work) {
  try {
    work();
  } catch (error) {
    return error;
  }
}

export default function () {
  for (const work of [read, readAfterMark, readCommon, call]) {
    console.log(told(work).message);
  }
  console.log(told(call).stack.split('\n')[1]);
}
