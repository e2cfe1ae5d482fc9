// All modules that don't exist are named, wherever they are imported; what may have been meant is told.
// exit: 107
// log: unknown modules ["k6/htp", "k6/x/nope", "k6/zzz"] were tried to be loaded
import './data/unknown.js';
import http from 'k6/htp';
import nope from 'k6/x/nope';

export default function () {
  http.get(nope);
}
