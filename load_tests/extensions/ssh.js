// Commands on another machine, and now and then a new connection.
import { check } from 'k6';
import ssh from 'k6/x/ssh';

export { begin, options, rest } from './lib/plan.js';

export default function () {
  if (__ITER % 20 === 0) ssh.connect({ host: '127.0.0.1', port: Number(__ENV.SSH_PORT), username: __ENV.SSH_USER, rsa_key: __ENV.SSH_KEY });
  check(ssh.run(`echo ${__VU}-${__ITER}`), { own: (text) => text.trim() === `${__VU}-${__ITER}` });
}
