// log: not offered here, and imported: "k6/x/tpc"; what uses them will fail; did you mean "k6/x/tcp"?
import tcp from 'k6/x/tpc';
export default function () {}
