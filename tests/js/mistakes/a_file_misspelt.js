// exit: 107
// log: "./data/near/hepler.ts" couldn't be found on local disk
// hint: did you mean "./data/near/helper.ts"?
const helper = require('./data/near/hepler.ts');
export default function () {
  helper.a();
}
