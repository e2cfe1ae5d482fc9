// A name with an underscore is no host pattern.
// exit: 104
// log: invalid host pattern 'my_service.test'
export const options = { hosts: { 'my_service.test': '127.0.0.1' } };
export default function () {}
