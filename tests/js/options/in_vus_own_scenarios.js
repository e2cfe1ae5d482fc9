// In VUs a script's own scenarios stay as it wrote them.
// console: undefined undefined {"executor":"per-vu-iterations","exec":"main"}
export const options = { scenarios: { mine: { executor: 'per-vu-iterations', exec: 'main' } } };
export function main() {
  console.log(options.vus, options.iterations, JSON.stringify(options.scenarios.mine));
}
