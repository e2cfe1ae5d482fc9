// exit: 107
// log: SyntaxError
// hint: there are types in it: name it file://.../types_in_javascript.ts
interface User {
  name: string;
}
export default function (): void {
  const user = { name: 'a' } as User;
  console.log(user.name);
}
