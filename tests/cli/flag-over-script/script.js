export const options = { duration: '1h' };
export default function () {}
