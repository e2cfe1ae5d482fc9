// log: http.delete is not a function
// hint: did you mean `http.del`?
import http from 'k6/http';

export default function () {
  http.delete('http://127.0.0.1:9/');
}
