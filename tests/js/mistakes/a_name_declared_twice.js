// exit: 107
// log: SyntaxError: ...file://.../a_name_declared_twice.js:6:9
// hint: Identifier `user` has already been declared
export default function () {
  const user = 1;
  const user = 2;
}
