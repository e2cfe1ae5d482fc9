// exit: 107
// log: http.gett is not a function
import http from 'k6/http';

export function setup() { return http.gett(__ENV.URL); }
export default function () {}
