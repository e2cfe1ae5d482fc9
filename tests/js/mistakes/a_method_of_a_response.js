// log: http.get(...).jsn is not a function
import http from 'k6/http';

export default function () {
  http.get(__ENV.URL).jsn();
}
