// `protocol` is an extension with one value; anything else is refused.
// console: 0 `protocol` can only be 'h2c' (HTTP/2 without TLS), and only for http:// URLs, not 'h3'
// console: 0 `protocol` can only be 'h2c' (HTTP/2 without TLS), and only for http:// URLs, not 'h2c'
// console: HTTP/1.1
import http from 'k6/http';

export default function () {
  const show = ({ status, error }) => console.log(status, error);
  show(http.get(`${__ENV.URL}/text`, { protocol: 'h3' }));
  show(http.get('https://localhost/', { protocol: 'h2c' }));
  console.log(http.get(`${__ENV.URL}/text`, { protocol: undefined }).proto);
}
