// log: the script exports `option`, which nothing uses; did you mean `options`?
export const option = { vus: 1 };
export default function () {}
