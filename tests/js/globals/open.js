// Files are read in the init code only.
// console: 3 lines
// console: 47 47
// console: true
const text = open('./data/lines.txt');
const bytes = new Uint8Array(open('data/lines.txt', 'b'));
export default function () {
  console.log(text.trim().split('\n').length, 'lines');
  console.log(bytes[0], '/'.charCodeAt(0));
  try {
    open('data/lines.txt');
  } catch (error) {
    console.log(String(error).includes('only available in the init stage'));
  }
}
