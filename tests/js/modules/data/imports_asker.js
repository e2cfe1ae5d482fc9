import { refused } from './asks_back.js';
export { refused };
