// Exports must be something.
// exit: 107
// log: CommonJS's exports must not be null
import nothing from './data/null.js';
export default function () { console.log(nothing); }
