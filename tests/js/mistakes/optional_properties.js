// log: cannot read property 'd' of undefined...: o.c is undefined...
// no log: o is undefined
// no log: H.one
import * as H from './data/helper.js';
export default function () {
  const o = { a: null };
  H.one?.two;
  o.a?.b;
  o.c.d?.e;
}
