// log: response.text is not a function
// hint: did you mean `response.body`?
import http from 'k6/http';

export default async function () {
  const response = http.get(__ENV.URL);
  response.text();
}
