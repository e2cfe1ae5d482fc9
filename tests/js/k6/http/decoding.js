// Compressed bodies arrive decompressed.
// console: it was compressed gzip
import http from 'k6/http';

export default function () {
  const response = http.get(`${__ENV.URL}/gzip`);
  console.log(response.body, response.headers['Content-Encoding']);
}
