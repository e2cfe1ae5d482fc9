// log: Request Failed
// hint: an address begins with http:// or https://
import http from 'k6/http';
export default function () {
  http.get('127.0.0.1:1/health');
}
