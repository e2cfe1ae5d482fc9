// Variables come from flags and from the process; flags win.
// args: -e FLAG=1 -e BOTH=flag
// env: BOTH=process
// console: 1 flag undefined
// console: 7 string
export default function () {
  console.log(__ENV.FLAG, __ENV.BOTH, __ENV.NOT_THERE);
  __ENV.MINE = 7;
  console.log(__ENV.MINE, typeof __ENV.MINE);
}
