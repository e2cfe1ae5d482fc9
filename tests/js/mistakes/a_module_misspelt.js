// exit: 107
// log: unknown modules ["k6/htp"]
// hint: did you mean "k6/http"?
import http from 'k6/htp';
export default function () {}
