// A function is no option, wherever it stands.
// exit: 255
// log: error parsing script options: json: unsupported type: func
export const options = { iterations: 1, cloud: { name: () => 'mine' } };
export default function () {
  console.log('ran');
}
