// log: slep is not defined
// hint: did you mean `sleep`? `import { sleep } from
export default function () {
  slep(1);
}
