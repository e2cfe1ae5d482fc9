// init, setup, iterations, teardown and the summary, with the data of setup as a copy for each.
// console: setup
// console: 1 token
// console: 1 token
// console: teardown 1 token
// console: summary 1
const executor = 'per-vu-iterations';
export const options = { scenarios: { both: { executor, vus: 2 } } };
export function setup() {
  console.log('setup');
  return { n: 1, token: 'token', lost: undefined };
}
export default function (data) {
  console.log(data.n, data.token);
  data.n += 1;
}
export function teardown(data) {
  console.log('teardown', data.n, data.token);
}
export function handleSummary(data) {
  console.log('summary', data.setup_data.n);
}
