// log: make is not a constructor
export default function () {
  const make = () => 1;
  new make();
}
