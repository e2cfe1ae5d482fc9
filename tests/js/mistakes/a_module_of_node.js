// exit: 107
// log: The moduleSpecifier "fs"
// hint: imported at file://
import fs from 'fs';
export default function () {}
