// Commands on other machines while they are under load: how long connecting and running take. SSH_HOST, SSH_PORT, SSH_USER and
// SSH_KEY (the file of a private key) say where and as whom.
import ssh from 'k6/x/ssh';
import { check } from 'k6';

export const options = { iterations: 2, thresholds: { ssh_duration: ['p(95)<10000'], checks: ['rate==1'] } };

export default function () {
  ssh.connect({
    host: __ENV.SSH_HOST || '127.0.0.1',
    port: Number(__ENV.SSH_PORT || 22),
    username: __ENV.SSH_USER,
    rsa_key: __ENV.SSH_KEY,
  });
  // Waits; what the command writes.
  const load = ssh.run('cat /proc/loadavg');
  check(load, { 'the host says how busy it is': (text) => Number.parseFloat(text) >= 0 });
  let failure;
  try {
    ssh.run('echo nothing there >&2; exit 3');
  } catch (error) {
    failure = error;
  }
  check(failure, { 'a command that fails throws': (error) => error.message.startsWith('Process exited with status 3') });
}
