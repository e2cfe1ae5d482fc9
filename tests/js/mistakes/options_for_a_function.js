// exit: 255
// log: no exported functions in script
// hint: `export const options` for options
export default { vus: 1, iterations: 1 };
