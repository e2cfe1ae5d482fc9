// log: TypeError: http.gett is not a function...default (...
import http from 'k6/http';

export default function () {
  http.gett(__ENV.URL);
}
