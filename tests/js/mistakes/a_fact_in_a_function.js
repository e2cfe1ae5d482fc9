// exit: 107
// log: getting scenario information outside of the VU context is not supported...a_fact_in_a_function.js:7:
import exec from 'k6/execution';

const name = () => {
  const scenario =
    exec.scenario.name;
  return scenario;
};
console.log(name());
export default function () {}
