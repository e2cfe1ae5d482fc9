export const options = { once: true, iterations: 2 };

console.log(`init ${__VU}`);

export default function () {
  console.log(`iteration ${__ITER}`);
}
