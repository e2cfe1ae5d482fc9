// log: steps[0] is not a function
export default function () {
  const steps = [];
  steps[0]();
}
