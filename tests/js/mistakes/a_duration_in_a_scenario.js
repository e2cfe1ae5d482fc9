// exit: 104
// log: time: invalid duration "soon"
// hint: `gracefulStop` is "soon"
export const options = {
  scenarios: { a: { executor: 'constant-vus', vus: 1, duration: '1s', gracefulStop: 'soon' } },
};
export default function () {}
