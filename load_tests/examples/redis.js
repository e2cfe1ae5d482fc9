// Redis as part of the load: fill in setup, read and write under load, tidy up. Needs REDIS_URL beside the target.
import { Client } from 'k6/x/redis';
import { check } from 'k6';

const KEYS = 20;
const redis = new Client(__ENV.REDIS_URL || 'redis://127.0.0.1:6379');

export const options = {
  vus: 5,
  iterations: 50,
  thresholds: { 'redis_duration{command:GET}': ['p(95)<1000'], checks: ['rate==1'] },
};

export async function setup() {
  for (let i = 0; i < KEYS; i++) await redis.set(`example:user:${i}`, `user ${i}`, 600);
}

export default async function () {
  const i = (__VU + __ITER) % KEYS;
  check(await redis.get(`example:user:${i}`), { 'the user is there': (name) => name === `user ${i}` });
  check(await redis.incr('example:visits'), { 'visits grow': (count) => count > 0 });
  // What is missing is a rejected promise.
  const missing = await redis.get('example:nobody').catch((error) => error);
  check(missing, { 'nobody is not there': (error) => String(error) === 'redis: nil' });
}

export async function teardown() {
  for (let i = 0; i < KEYS; i++) await redis.del(`example:user:${i}`);
  await redis.del('example:visits');
}
