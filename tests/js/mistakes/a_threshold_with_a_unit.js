// exit: 104
// log: "p(95)<500ms" right hand side
// hint: limits have no unit, times are in ms and rates from 0 to 1: write 500
export const options = { thresholds: { http_req_duration: ['p(95)<500ms'] } };
export default function () {}
