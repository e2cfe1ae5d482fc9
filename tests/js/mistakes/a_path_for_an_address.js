// log: Request Failed
// hint: an address begins with http:// or https://
import http from 'k6/http';
export default function () {
  http.get('/health');
}
