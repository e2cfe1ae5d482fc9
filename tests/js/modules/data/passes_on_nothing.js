export { nope as a } from './has_one_name.js';
