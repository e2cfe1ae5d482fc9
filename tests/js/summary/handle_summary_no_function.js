// handleSummary that is no function is told of, and the run ends well.
// args: --summary-mode=compact
// console: ran
// log: failed to handle the end-of-test summary
export default function () {
  console.log('ran');
}
export let handleSummary;
