// exit: 104
// log: unknown executor type 'constant-vu'
// hint: did you mean `constant-vus`?
export const options = { scenarios: { a: { executor: 'constant-vu', vus: 1, duration: '1s' } } };
export default function () {}
