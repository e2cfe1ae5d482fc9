// exit: 107
// log: process is not defined
// hint: environment variables are in `__ENV`
const url = process.env.BASE_URL;

export default function () {}
