// Basic authentication, from the address.
// console: 200 401
import http from 'k6/http';

export default function () {
  const host = __ENV.URL.replace('http://', '');
  console.log(http.get(`http://ann:pw@${host}/basic/ann/pw`).status, http.get(`${__ENV.URL}/basic/ann/pw`).status);
}
