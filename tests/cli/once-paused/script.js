// A test of one iteration that starts paused waits like any other.
export const options = { vus: 3, duration: '1s' };
export default function () {
  console.log('it ran');
}
