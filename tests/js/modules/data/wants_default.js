import nothing from './has_one_name.js';
export const a = nothing;
