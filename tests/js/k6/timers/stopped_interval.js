// A timer that the end of an iteration stops is called by the function that made it.
// exit: 0
// log: setInterval 1 was stopped because the VU iteration was interrupted
// log: setTimeout 2 was stopped because the VU iteration was interrupted
export const options = { scenarios: { s: { executor: 'constant-vus', vus: 1, duration: '1s', gracefulStop: '0s' } } };
export default function () {
  setInterval(() => {}, 5000);
  setTimeout(() => {}, 6000);
}
