// What is imported from CommonJS can be exported again.
// console: area,default,first,name,second,space the name first 2
export { named as name } from './data/marked.js';
export * from './data/first.js';
export * as space from './data/umd.js';
import { add as area, add } from './data/umd.js';
import * as self from './commonjs_exported_again.js';
export { area };

export const first = 'mine';
if (__VU === 0) console.log(Object.keys(self).filter((key) => key !== 'options').join(), self.name, self.space.add('fir', 'st'), add(1, 1));
export default function () {}
