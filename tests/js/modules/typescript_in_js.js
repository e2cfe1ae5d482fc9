// Types are for files whose name ends with .ts.
// exit: 107
// log: SyntaxError
export default function (data: any) { const x: number = 1; console.log(x); }
