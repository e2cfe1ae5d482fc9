// Init code of a VU that never ends does not hold a run that is interrupted.
if (__VU === 2) {
  console.log('the loop begins');
  for (;;);
}
export default function () {}
