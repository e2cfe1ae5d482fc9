// exit: 104
// log: p95 < 2s
// hint: write 2000
export const options = { thresholds: { http_req_duration: ['p95 < 2s'] } };
export default function () {}
