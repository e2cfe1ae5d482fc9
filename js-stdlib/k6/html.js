// k6/html: documents from text. What can be done with them is in a lazy script that responses share.
import { parse, callNode } from 'native:k6/html';
import { once, call, primordials } from 'native:engine';

let parseHTML = (text) =>
  once('k6/html/selection', callNode, { call, primordials })(parse(text === undefined || text === null ? '' : primordials.String(text)));

// Named imports see what a script puts in the place of the function.
export default new primordials.Proxy({ parseHTML }, {
  __proto__: null,
  set(object, key, value) {
    if (key === 'parseHTML') parseHTML = value;
    object[key] = value;
    return true;
  },
});
export { parseHTML };
