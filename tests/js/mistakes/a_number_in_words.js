// exit: 104
// log: strconv.ParseInt: parsing "five"
// hint: `vus` is "five", and has to be a whole number
export const options = { vus: 'five', duration: '1s' };
export default function () {}
