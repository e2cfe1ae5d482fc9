export const options = { scenarios: { a: { executor: 'shared-iterations', vus: 5, iterations: 1 } } };

console.log(`init ${__VU}`);

export default function () {
  console.log(`iteration ${__ITER}`);
}
