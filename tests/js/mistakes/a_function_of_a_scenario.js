// exit: 104
// log: function 'checkuot' not found in exports
// hint: did you mean `checkout`?
export const options = { scenarios: { a: { executor: 'shared-iterations', exec: 'checkuot' } } };
export function checkout() {}
