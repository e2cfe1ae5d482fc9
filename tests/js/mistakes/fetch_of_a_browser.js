// log: fetch is not defined
// hint: requests are made with `k6/http`
export default function () {
  fetch('http://127.0.0.1:9/');
}
