// log: `stages`: a stage has no `duraton`, did you mean `duration`?
export const options = { stages: [{ duraton: '1s', target: 1 }] };
export default function () {}
