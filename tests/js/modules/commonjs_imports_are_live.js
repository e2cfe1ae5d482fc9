// What an ES module imports from CommonJS is read where it is used; what is called gets no `this`.
// console: 0 { count: 1, increase: [object Function] }
// console: 1 1 1
import { count, increase } from './data/counter.js';
import counter from './data/counter.js';
import * as all from './data/counter.js';

const self = count
increase()
if (__VU === 0) console.log(self, counter);
export default function () {
  console.log(count, all.count, { count }.count);
}
