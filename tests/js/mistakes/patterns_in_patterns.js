// console: cannot destructure x.a: it is undefined or null
// console: cannot destructure v or v.a: it is undefined or null
// console: cannot destructure q of {q:null}: it is null
// console: k.l is not iterable: it is undefined
// console: cannot destructure the argument { z: { w } } or z of the argument { z: { w } }: it is undefined or null
// console: cannot destructure an element of xs or a of an element of xs: it is undefined or null
const other = ({ p }) => p;
function another({ q: { r } }) {
  return r;
}
const arrow = ({ z: { w } }) => w;

function told(work) {
  try {
    work();
  } catch (error) {
    console.log(error.message);
  }
}

export default function () {
  told(() => {
    const x = {};
    const {a:{b}}=x;
  });
  told(() => {
    const v = JSON.parse('{}');
    const {a:{b}}=v;
  });
  told(() => {
    const {q:{z}={}}={q:null};
  });
  told(() => {
    const k = {};
    const {l:[n]}=k;
  });
  told(() => arrow({}));
  told(() => {
    const xs = [{}];
    for (const { a: { b } } of xs) other(b);
  });
}
