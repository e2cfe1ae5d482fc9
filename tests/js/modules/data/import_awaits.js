export { later } from './awaits.js';
