// Files of every kind keep the context: CommonJS with and without a `require` of its own, TypeScript.
// args: --features async-metric-context
// console: commonjs main 3
// console: own require main
// console: typescript main
// console: true
const exec = require('k6/execution');
const typed = require('./data/typed.ts');
const own = require('./data/own_require.js');

let tags;
const later = () => new Promise((resolve) => setTimeout(() => { tags.at = 'noise'; resolve(); }, 1));

exports.default = async function () {
  ({ tags } = exec.vu.metrics);
  tags.at = 'main';
  await later();
  console.log('commonjs', tags.at, [1, 2, 3].length);
  await own.wait(later);
  console.log('own require', tags.at);
  await typed.wait(later);
  console.log('typescript', tags.at);
  console.log(tags.k6_feature_async_metric_context);
};
