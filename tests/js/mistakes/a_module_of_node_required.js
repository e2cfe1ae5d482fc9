// exit: 107
// log: The moduleSpecifier "fs"
// hint: `open()` reads files in init code
const fs = require('fs');
export default function () {}
