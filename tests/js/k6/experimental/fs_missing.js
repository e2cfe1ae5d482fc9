// A file that is not there is not there in any VU; one that nobody asked for at first is refused.
// args: --vus 2 --iterations 2
// console: NotFoundError ForbiddenError
// console: NotFoundError ForbiddenError
import { open as openFile } from 'k6/experimental/fs';

const names = [];
const attempt = async (path) => {
  try {
    await openFile(path);
  } catch (error) {
    names.push(error.name);
  }
};
await attempt('data/none.txt');
if (__VU > 0) await attempt('data/later.txt');

export default function () {
  console.log(names.join(' '));
}
