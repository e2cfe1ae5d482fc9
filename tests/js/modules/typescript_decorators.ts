// Decorators are refused, where k6 never comes back.
// exit: 107
// log: typescript_decorators.ts: Line 5:0 decorators are not supported
function sealed(type: Function): void {}
@sealed class Part {}
export default function (): void { console.log(Part); }
