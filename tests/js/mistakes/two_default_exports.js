// exit: 107
// log: SyntaxError: ...\tat file://.../two_default_exports.js:6:8
// hint: Duplicated export 'default'
export default function () {}

export default function () {}
