export const options = { scenarios: { a: { executor: 'nothing' } } };

console.log(`init ${__VU}`);

export default function () {
  console.log(`iteration ${__ITER}`);
}
