// k6/html: documents from text. What can be done with them is a part that responses share.
import { parse, callNode } from 'native:k6/html';
import { once } from 'volley/globals';

export function parseHTML(...list) {
  return once('k6/html/selection', callNode)(parse(list.length === 0 ? '' : String(list[0])));
}

export default { parseHTML };
