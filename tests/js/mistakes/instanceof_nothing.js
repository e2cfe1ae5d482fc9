// log: cannot use 'instanceof' with undefined
export default function () {
  console.log({} instanceof undefined);
}
