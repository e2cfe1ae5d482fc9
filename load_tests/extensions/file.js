// A file of each VU's own, written, read and deleted.
import { check } from 'k6';
import file from 'k6/x/file';

export { begin, options, rest } from './lib/plan.js';

export default function () {
  const path = `${__ENV.FOLDER}/${__VU}.txt`;
  file.writeString(path, 'first\n');
  file.appendString(path, 'x'.repeat(1000));
  check(file.readFile(path), { 'all of it': (text) => text.length === 1006 });
  file.deleteFile(path);
}
