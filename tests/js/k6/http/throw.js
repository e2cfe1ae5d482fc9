// With `throw` a failed request is an exception.
// console: true
// console: after
import http from 'k6/http';

export default function () {
  try {
    http.get('http://127.0.0.1:1/', { throw: true });
  } catch (error) {
    console.log(String(error).includes('connection refused'));
  }
  console.log('after');
}
