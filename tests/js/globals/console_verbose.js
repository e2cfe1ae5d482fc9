// With -v there is more to see.
// args: -v
// console: somebody sees this
export default function () {
  console.debug('somebody sees this');
}
