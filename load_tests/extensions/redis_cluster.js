// Keys of all slots of a cluster of three nodes.
import { check } from 'k6';
import { Client } from 'k6/x/redis';

export { begin, options, rest } from './lib/plan.js';

const client = new Client({ cluster: { nodes: [__ENV.REDIS] } });

export default async function () {
  const key = `soak:${__VU}:${__ITER % 50}`;
  await client.set(key, __ITER, 60);
  check(await client.get(key), { own: (value) => value === String(__ITER) });
}
