// ES modules are required as their namespaces; one that awaits, or would have to run in the middle of itself, can't be.
// console: 4 GoError awaits.js awaits something at its top level, so it can't be required: import it
// console: imports_asker.js can't be required by a module it imports
// console: esm true
import { later } from './data/import_awaits.js';
import { refused } from './data/asks_back.js';
import esm from './data/esm.js';

const log = __VU === 0 ? console.log : () => {};
try {
  require('./data/awaits_too.js');
} catch (error) {
  log(later, error.name, error.message.split('/').pop().replace('_too', ''));
}
log(refused);
log(require('./data/esm.js').default, require('./data/esm.js').default === esm);
export default function () {}
