// Commands of all kinds of a Redis server, over the pool of each VU.
import { check } from 'k6';
import { Client } from 'k6/x/redis';

export { begin, options, rest } from './lib/plan.js';

const client = new Client(__ENV.REDIS);

export default async function () {
  const key = `soak:${__VU}`;
  await client.set(key, __ITER, 60);
  check(await client.get(key), { own: (value) => value === String(__ITER) });
  const [length] = await Promise.all([client.rpush(`${key}:list`, 'a', 'b'), client.incr('soak:all'), client.get('nobody').catch(String)]);
  check(length, { both: (count) => count === 2 });
  await client.del(`${key}:list`);
}
