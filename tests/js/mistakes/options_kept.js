// log: the script has `options` and does not export them: `export const options` (file://.../options_kept.js:2)
const options = { vus: 2, iterations: 2 };
export default function () {}
