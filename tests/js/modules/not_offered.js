// A module that is not offered stops nobody who doesn't use it; using it throws, and names it.
// log: imported: "k6/x/amqp", "k6/x/kafka", "k6/x/more", "k6/x/unused"; what uses them will fail. Offered are: ...k6/x/redis...
// console: function function true
// console: GoError: the module "k6/x/kafka" is not offered: ...
// console: GoError: the module "k6/x/kafka" is not offered: ...
// console: GoError: the module "k6/x/amqp" is not offered: of k6's extensions, this build has ...
// console: GoError: the module "k6/x/amqp" is not offered: of k6's extensions, this build has ...
import kafka, { Writer as W } from 'k6/x/kafka';
import { open } from './data/passes_amqp_on.js';
import 'k6/x/unused';

const amqp = require('k6/x/amqp');
export default function () {
  console.log(typeof kafka, typeof open, amqp !== undefined);
  const uses = [
    () => new W(), () => kafka.x, () => open('x'), () => amqp.Client,
  ];
  for (const use of uses) {
    try { use(); } catch (error) { console.log(String(error)); }
  }
}
