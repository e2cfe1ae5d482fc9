// A summary that is aborted is told, and the run ends as it did.
// args: --summary-mode compact
// log: test aborted: no summary at handleSummary (file://.../abort_in_summary.js:8...)
import exec from 'k6/execution';

export default function () {}
export function handleSummary() {
  exec.test.abort('no summary');
}
