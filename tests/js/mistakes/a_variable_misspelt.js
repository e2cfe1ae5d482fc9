// log: usres is not defined
// hint: did you mean `users`?
const users = ['ada', 'bob'];

export default function () {
  console.log(usres.length);
}
