// log: `thresholds`: a threshold has no `abortOnFial`, did you mean `abortOnFail`?
export const options = { thresholds: { iterations: [{ threshold: 'count>0', abortOnFial: true }] } };
export default function () {}
