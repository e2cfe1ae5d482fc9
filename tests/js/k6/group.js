// Groups nest, return what their function returns, and are tags of what happens inside.
// console: inner result
// console: outer: a/ fails 0
// console: inner: b/c passes 1
// console: group and check names may not contain '::'
import { check, group } from 'k6';

export default function () {
  group('a', () => check(1, { one: true }));
  const result = group('b', () => group('c', () => (check(1, { one: true }), 'inner result')));
  console.log(result);
}
export function handleSummary(data) {
  const [a, b] = data.root_group.groups;
  console.log(`outer: ${a.name}/ fails ${a.checks[0].fails}`);
  console.log(`inner: ${b.name}/${b.groups[0].name} passes ${b.groups[0].checks[0].passes}`);
  try {
    group('x::y', () => 0);
  } catch (error) {
    console.log(error.message);
  }
}
