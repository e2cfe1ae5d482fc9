// log: http.Client is not a constructor
import http from 'k6/http';

export default function () {
  new http.Client();
}
