import { first } from './names_first.js';
export const second = () => `${first()} second`;
export { first as again };
