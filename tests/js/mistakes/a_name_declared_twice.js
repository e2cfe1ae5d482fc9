// exit: 107
// log: SyntaxError: ...\tat file://.../a_name_declared_twice.js:5:9
// hint: Identifier `user` has already been declared
export default function () {
  const user = 1;
  const user = 2;
}
