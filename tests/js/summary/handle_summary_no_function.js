// handleSummary that is no function is told of, and the run ends well.
// args: --summary-mode=compact
// console: ran
// log: exported identifier handleSummary must be a function
export default function () {
  console.log('ran');
}
export let handleSummary;
