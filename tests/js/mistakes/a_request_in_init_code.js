// exit: 107
// log: Making http requests in the init context is not supported
import http from 'k6/http';
http.get('http://127.0.0.1:1');
export default function () {}
