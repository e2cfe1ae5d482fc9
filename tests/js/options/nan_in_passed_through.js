// What is passed through to the hosted service is checked as well.
// exit: 255
// log: error parsing script options: json: unsupported value: +Inf
export const options = { iterations: 1, ext: { deep: [{ limit: Infinity }] } };
export default function () {
  console.log('ran');
}
