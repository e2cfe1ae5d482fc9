// Without the feature there is one context, async groups are refused, and what a callback returns is handed on.
// console: GoError: group() does not support async functions as arguments, ...--features async-metric-context...K6_FEATURES=async-metric-context...
// console: promise true ::sync
// console: changed
// console: set by a timer
// console: undefined
import exec from 'k6/execution';
import { group } from 'k6';

let tags;

export default async function () {
  ({ tags } = exec.vu.metrics);
  try {
    group('async', async () => {});
  } catch (error) {
    console.log(String(error));
  }
  let inside;
  const promise = Promise.resolve();
  const returned = group('sync', () => {
    inside = tags.group;
    tags.at = 'changed';
    return promise;
  });
  console.log('promise', returned === promise, inside);
  console.log(tags.at);
  await new Promise((resolve) => setTimeout(() => {
    tags.at = 'set by a timer';
    resolve();
  }, 1));
  console.log(tags.at);
  console.log(tags.k6_feature_async_metric_context);
}
