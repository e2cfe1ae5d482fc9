// Programs and files of this machine: a command's output as test data, results appended to a file. Needs --allow exec,file.
import exec from 'k6/x/exec';
import file from 'k6/x/file';
import http from 'k6/http';
import { check } from 'k6';

const LOG = `${__ENV.LOG_FOLDER || '.'}/answers.log`;

export const options = { vus: 2, iterations: 4, thresholds: { checks: ['rate==1'], exec_duration: ['p(95)<5000'] } };

// Once, before the load.
export function setup() {
  file.writeString(LOG, '');
  return { build: exec.command('uname', ['-s']).trim() };
}

export default function (data) {
  const params = { headers: { 'X-Build': data.build } };
  const response = http.get(`${__ENV.BASE_URL || 'http://127.0.0.1:8080'}/health`, params);
  file.appendString(LOG, `${data.build} ${response.status}\n`);
  // A command that may fail throws; without the option it ends the run.
  let failure = '';
  try { exec.command('false', [], { continue_on_error: true }); } catch (error) { failure = error.message; }
  check(failure, { 'failures are thrown': (text) => text === 'exit status 1' });
}

export function teardown() {
  check(file.readFile(LOG), { 'all answers are there': (text) => text.split('\n').length === 5 });
  file.deleteFile(LOG);
}
