// CommonJS code is strict; `this` is the exports.
// console: true ReferenceError
if (__VU === 0) console.log(this === exports, (() => { try { undeclared = 1; } catch (error) { return error.name; } })());
exports.default = () => {};
