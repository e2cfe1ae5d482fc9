// JSON is read with `open`, as a module it is a syntax error.
// exit: 107
// log: SyntaxError...data/data.json
import data from './data/data.json';
export default function () { console.log(data); }
