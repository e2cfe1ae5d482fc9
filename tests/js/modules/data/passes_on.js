export * from './has_one_name.js';
import { yes } from './passes_on.js';
export const twice = () => yes * 2;
