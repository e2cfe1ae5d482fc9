// exit: 107
// log: a_default_without_export.js:4:1
// hint: `export` is missing
default function () {}
