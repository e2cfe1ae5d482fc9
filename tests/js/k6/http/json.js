// `res.json()` gives all, a selector gives a part.
// console: 2 12.5 true null
// console: two undefined ["one","two"] 2
// console: GoError: ...
import http from 'k6/http';

export default function () {
  const response = http.get(`${__ENV.URL}/json`);
  const all = response.json();
  console.log(all.total, all.price, all.ok, all.nothing);
  console.log(response.json('data.1.name'), response.json('no.such'), JSON.stringify(response.json('data.#.name')), response.json('data.#'));
  try {
    http.get(`${__ENV.URL}/text`).json();
  } catch (error) {
    console.log(error);
  }
}
