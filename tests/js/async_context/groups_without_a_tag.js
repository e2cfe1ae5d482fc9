// Without the system tag `group` the path stays out of the tags; the rest is as it was.
// args: --features async-metric-context
// env: K6_SYSTEM_TAGS=status
// console: undefined x
// console: undefined x
// console: undefined undefined 2
import exec from 'k6/execution';
import { group } from 'k6';

export default async function () {
  const { tags } = exec.vu.metrics;
  const result = await group('a', async () => {
    tags.own = 'x';
    await null;
    console.log(tags.group, tags.own);
    return group('b', async () => {
      await null;
      console.log(tags.group, tags.own);
      return 2;
    });
  });
  console.log(tags.group, tags.own, result);
}
