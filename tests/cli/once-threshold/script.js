export const options = { vus: 3, duration: '1h', thresholds: { iterations: ['count>1'] } };

console.log(`init ${__VU}`);

export default function () {
  console.log(`iteration ${__ITER}`);
}
