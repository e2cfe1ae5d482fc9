// Files are opened while the script starts; each handle has a position of its own, in every VU.
// args: --summary-mode=disabled
// console: NotFoundError: no such file or directory "...k6/experimental/data/none.txt"
// console: InvalidResourceError: cannot open "...k6/experimental/data": opening a directory is not supported
// console: TypeError: open() failed; reason: path cannot be null or undefined
// console: TypeError: open() failed; reason: path cannot be null or undefined
// console: TypeError: open() failed; reason: path cannot be empty
// console: false NotFoundError name,message
// console: 0 1 2 true hello.txt 12 name,size
// console: 5 hello 5 , wor 2 ldwor null ldwor
// console: TypeError: read() failed; reason: into argument cannot be null or undefined
// console: TypeError: read() failed; reason: into argument must be a Uint8Array
// console: TypeError: read() failed; reason: into argument must be a Uint8Array
// console: 3 7 11 12 1
// console: TypeError: seeking beyond end of file
// console: TypeError: seeking before start of file
// console: TypeError: offset cannot be negative when using SeekModeStart
// console: TypeError: offset cannot be positive when using SeekModeEnd
// console: TypeError: seek() failed; reason: the offset argument cannot be null or undefined
// console: TypeError: seek() failed; reason: the offset argument must be a number
// console: TypeError: seek() failed; reason: the whence argument cannot be null or undefined
// console: TypeError: seek() failed; reason: the whence argument must be a SeekMode
// console: 6 hello,
// console: null 0
// console: ForbiddenError: open() failed; reason: opening a file is allowed only in the Init context
// console: 5 hello
import fs, { open, SeekMode } from 'k6/experimental/fs';

export const options = { scenarios: {
  first: { executor: 'per-vu-iterations', vus: 1, iterations: 1, exec: 'everything' },
  second: { executor: 'per-vu-iterations', vus: 1, iterations: 1, exec: 'position', startTime: '1s' },
} };

const path = './data/hello.txt';
const file = await open(path);
const other = await fs.open(import.meta.resolve(path));
const empty = await open('data/empty.txt');

const why = async (promise) => {
  try {
    console.log(JSON.stringify(await promise));
  } catch (error) {
    console.log(String(error));
  }
};
if (__VU === 0) await refused();

async function refused() {
  await why(open('data/none.txt'));
  await why(open('./data'));
  await why(open());
  await why(open(null));
  await why(open(''));
  const error = await open('nowhere').catch((reason) => reason);
  console.log(error instanceof Error, error.name, Object.keys(error).join());
}

const text = (bytes) => String.fromCharCode(...bytes);

export async function everything() {
  const stat = await file.stat();
  console.log(SeekMode.Start, SeekMode.Current, SeekMode.End, file.path.startsWith('/'), stat.name, stat.size, Object.keys(stat).join());
  const bytes = new Uint8Array(5);
  const seen = [];
  for (let i = 0; i < 4; i++) seen.push(await file.read(bytes), text(bytes));
  console.log(...seen);
  await why(file.read());
  await why(file.read([]));
  await why(file.read(new Int8Array(4)));
  console.log(
    await file.seek(3, SeekMode.Start), await file.seek(4, SeekMode.Current), await file.seek(0, SeekMode.End),
    await file.seek(12, SeekMode.Start), await file.seek(-10, SeekMode.End),
  );
  await why(file.seek(13, SeekMode.Start));
  await why(file.seek(-2, SeekMode.Current));
  await why(file.seek(-1, SeekMode.Start));
  await why(file.seek(1, SeekMode.End));
  await why(file.seek(undefined, SeekMode.Start));
  await why(file.seek('1', SeekMode.Start));
  await why(file.seek(1));
  await why(file.seek(1, 3));
  // A view does not bound what is read: its buffer does.
  const buffer = new ArrayBuffer(6);
  console.log(await other.read(new Uint8Array(buffer, 2, 2)), text(new Uint8Array(buffer)));
  console.log(await empty.read(bytes), await file.read(new Uint8Array(0)));
  await why(open(path));
}

export async function position() {
  const bytes = new Uint8Array(5);
  console.log(await file.read(bytes), text(bytes));
}
