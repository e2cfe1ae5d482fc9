// What an imported module throws behind an await is an exception of the script.
// exit: 107
// log: Error: too late...at file://.../data/throws_late.js:2...
// no log: Uncaught
import './data/throws_late.js';

export default function () {}
