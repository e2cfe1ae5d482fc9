// exit: 104
// log: function 'default' not found in exports
// hint: export default function
export function main() {}
