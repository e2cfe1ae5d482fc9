import { increase } from './counter.js';
export const kind = typeof increase;
export default 'esm';
