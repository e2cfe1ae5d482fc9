// An exported name that k6 calls must be a function.
// exit: 255
// log: exported 'teardown' must be a function
export const teardown = null;
export default function () {
  console.log('ran');
}
