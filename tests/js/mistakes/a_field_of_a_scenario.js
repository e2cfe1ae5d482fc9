// exit: 104
// log: json: unknown field "durtion"
// hint: did you mean `duration`?
export const options = { scenarios: { a: { executor: 'constant-vus', vus: 1, durtion: '1s' } } };
export default function () {}
