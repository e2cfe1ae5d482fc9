// exit: 107
// log: The moduleSpecifier "lodash" couldn't be recognised
// hint: imported at file://.../a_package.js:
import _ from 'lodash';
export default function () {}
