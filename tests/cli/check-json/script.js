import http from 'k6/http';

export const options = { vus: 1, iterations: 1 };

export default function () {
  http.gett('http://127.0.0.1:1/');
}
