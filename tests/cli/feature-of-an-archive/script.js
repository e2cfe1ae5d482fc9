import exec from 'k6/execution';
import { group } from 'k6';

export default async function () {
  await group('a', async () => {
    await null;
    console.log(exec.vu.metrics.tags.group, exec.vu.metrics.tags.k6_feature_async_metric_context);
  });
}
