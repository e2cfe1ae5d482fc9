// exit: 107
// log: SyntaxError: ...(file://.../mistakes/data/bad.json:3:20)
const d = JSON.parse(open('./data/bad.json'));
export default function () {}
