// exit: 104
// log: "mean<500" left hand side
// hint: did you mean `avg`?
export const options = { thresholds: { http_req_duration: ['mean<500'] } };
export default function () {}
