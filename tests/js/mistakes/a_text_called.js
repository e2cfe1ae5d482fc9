// log: TypeError: name is not a function
export default function () {
  const name = 'a';
  name();
}
