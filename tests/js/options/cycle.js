// Options that lead back to themselves are refused, not followed.
// exit: 255
// log: error parsing script options: json: unsupported value: encountered a cycle
const tags = {};
tags.self = tags;
export const options = { iterations: 1, ext: tags };
export default function () {
  console.log('ran');
}
