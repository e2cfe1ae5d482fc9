export default function () {
  console.debug('seen with -v');
}
