// exit: 104
// log: no metric name "http_req_duraton" found
// hint: did you mean `http_req_duration`?
export const options = { thresholds: { http_req_duraton: ['p(95)<500'] } };
export default function () {}
