// exit: 107
// log: SyntaxError: ...file://.../two_default_exports.js:6:8
// hint: A module cannot have multiple default exports
export default function () {}

export default function () {}
