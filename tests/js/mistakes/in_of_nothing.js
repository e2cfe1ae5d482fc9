// log: cannot use 'in' with user: it is not an object
export default function () {
  const user = undefined;
  console.log('name' in user);
}
