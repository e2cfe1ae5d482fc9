// exit: 107
// hint: did you mean "k6/http"?
const http = require('k6/htp');
export default function () {}
