// log: There were unknown fields in the options
// hint: did you mean `thresholds` by `tresholds`?
export const options = { tresholds: { http_req_duration: ['p(95)<500'] } };
export default function () {}
