// log: list.foreach is not a function
export default function () {
  const list = [1];
  list.foreach(x => x);
}
