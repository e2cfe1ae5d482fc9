export const options = {
  scenarios: { default: { executor: 'per-vu-iterations', iterations: 2 }, other: { executor: 'constant-vus', duration: '1h' } },
};

console.log(`init ${__VU}`);

export default function () {
  console.log(`iteration ${__ITER}`);
}
