// log: slep is not defined
export default function () {
  slep(1);
}
