// log: cannot read property 'toFixed' of undefined...: r.statusCode is undefined
import { check } from 'k6';

export default function () {
  check({ status: 200 }, {
    'is 200': (r) => r.statusCode.toFixed() === '200',
  });
}
