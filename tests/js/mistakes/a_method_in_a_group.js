// log: http.psot is not a function
import http from 'k6/http';
import { group } from 'k6';

export default function () {
  group('login', () => {
    http.psot(__ENV.URL);
  });
}
