// no log: options
const options = { headers: { a: 'b' } };
export default function () {
  if (!options.headers) throw new Error('gone');
}
