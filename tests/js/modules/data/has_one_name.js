export const yes = 1;
export * from './counter_default.js';
