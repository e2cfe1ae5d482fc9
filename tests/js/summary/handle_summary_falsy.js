// Whatever JavaScript takes for false leaves the summary to the program; no error is told.
// args: --summary-mode=compact
// no log: failed to handle
export default function () {}
export function handleSummary() {
  return '';
}
