// What a script puts in the place of JSON, Object and Array functions while it is loaded makes neither its options nor its
// data, nor the summary's.
// args: --summary-mode=compact
// console: 2 iterations with {"a":[1,{"b":null}]}
// console: 2 iterations with {"a":[1,{"b":null}]}
// console: summary of 2
const { stringify } = JSON;
const broken = () => {
  throw new Error('changed');
};
JSON.stringify = () => '{"iterations":7}';
JSON.parse = broken;
Object.keys = Object.entries = Object.assign = Object.defineProperty = broken;
Array.prototype.map = Array.prototype.push = Array.prototype.concat = Array.prototype.includes = broken;
Array.prototype[Symbol.iterator] = broken;
Object.prototype.get = broken;
Function.prototype.call = Function.prototype.apply = broken;
RegExp.prototype.exec = broken;
String.prototype.replace = String.prototype.split = String.prototype.includes = broken;

export const options = { iterations: 2 };
export function setup() {
  return { a: [1, { b: undefined }] };
}
export default function (data) {
  console.log(`${options.iterations} iterations with ${stringify(data)}`);
}
export function handleSummary(data) {
  console.log(`summary of ${data.metrics.iterations.values.count}`);
  return {};
}
