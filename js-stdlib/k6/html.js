// k6/html: documents from text. What can be done with them is a part that responses share.
import { parse, callNode } from 'native:k6/html';
import { once } from 'native:engine';

let parseHTML = (text) =>
  once('k6/html/selection', callNode)(parse(text === undefined || text === null ? '' : String(text)));

// Named imports see what a script puts in the place of the function.
export default new Proxy({ parseHTML }, {
  set(object, key, value) {
    if (key === 'parseHTML') parseHTML = value;
    return Reflect.set(object, key, value);
  },
});
export { parseHTML };
