// The same without the feature.
// console: then 2 function false true,false,true
// console: native true false
// console: TypeError
// console: Sub true true,false
// console: TypeError true
// console: 1 2 3 4 5 6 7 9 8 10
// console: undefined undefined
// console: [object Promise] TypeError
// console: AsyncFunction 0 f
// console: file:///.../data/invisible.js:41:6...
// console: file:///.../data/invisible.js:47:...
// console: file:///.../data/invisible.js:55:7...
// console: TypeError: (await Promise.resolve(...)).f is not a function
import all from './data/invisible.js';

export default all;
