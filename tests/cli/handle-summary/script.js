export default function () {}
export function handleSummary(data) {
  const count = data.metrics.iterations.values.count;
  return { stdout: `to stdout ${count}\n`, stderr: 'to stderr\n', 'summary.json': JSON.stringify({ ok: true }), 'text.txt': 'text' };
}
