export const options = { ext: { z: { y: 1, b: [{ d: 1, c: 2 }] }, a: 1 }, iterations: 1 };
export default function () {}
