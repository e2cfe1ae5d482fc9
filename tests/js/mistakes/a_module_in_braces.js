// console: undefined
// log: "k6/http" has no export named "http": it is the module itself, `import http from 'k6/http'` (file://...:3)
import { http } from 'k6/http';
export default function () {
  console.log(typeof http);
}
