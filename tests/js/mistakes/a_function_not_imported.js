// log: sleep is not defined
// hint: it is imported: `import { sleep } from 'k6'`
import http from 'k6/http';

export default function () {
  sleep(1);
}
