// An exported name that k6 calls must be a function, also when it is nothing yet.
// exit: 255
// log: exported 'setup' must be a function
export let setup;
export default function () {
  console.log('ran');
}
