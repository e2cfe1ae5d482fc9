// One iteration reaches outputs and handleSummary as any other; options of a browser stay with the scenario.
import { check } from 'k6';
export const options = { scenarios: { api: { executor: 'constant-vus', vus: 3, duration: '10s', options: { browser: { type: 'chromium' } }, env: { A: 'b' } } } };
export default function () { console.log('ran ' + __ENV.A); check(1, { ok: (x) => x === 1 }); }
export function handleSummary(data) { return { stdout: 'iterations ' + data.metrics.iterations.values.count + '\n' }; }
