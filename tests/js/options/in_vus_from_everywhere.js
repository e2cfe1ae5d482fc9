// In VUs the exported options show what was said in any layer; a shortcut of a flag leaves no scenarios.
// args: --vus 2 --iterations 2 --tag who=flag
// env: K6_BATCH=7
// console: 2 2 7 {"who":"flag"} 0
// console: 2 2 7 {"who":"flag"} 0
export const options = { scenarios: { mine: { executor: 'per-vu-iterations' } }, tags: { who: 'script' } };
export default function () {
  const { vus, iterations, batch, tags, scenarios } = options;
  console.log(vus, iterations, batch, JSON.stringify(tags), Object.keys(scenarios).length);
}
