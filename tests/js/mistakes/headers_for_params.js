// once: the params of a request have no `Content-Type`: headers are in `headers: { 'Content-Type': ... }`
import http from 'k6/http';

export default function () {
  http.get(__ENV.URL, { 'Content-Type': 'application/json' });
}
