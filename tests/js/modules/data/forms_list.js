export const options = 1
const a = 1, B = { two: 2 };
function three() { return 3; }
export { a, B,
  three as default,
}