// exit: 107
// log: no such file or directory
// hint: /data/bad.json"?
const data = JSON.parse(open('./data/bda.json'));
export default function () {}
