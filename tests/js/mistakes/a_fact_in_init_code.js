// exit: 107
// log: getting VU information in the init context is not supported...a_fact_in_init_code.js:7:
import exec from 'k6/execution';

export default function () {}

const id = exec.vu.idInTest;
