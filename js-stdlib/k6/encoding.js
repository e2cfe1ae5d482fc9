// k6/encoding: Base64.
import { encode, decode } from 'native:k6/encoding';
import { bytes, text } from 'volley/bytes';

export const b64encode = (input, encoding) => encode(bytes(input), text(encoding));
export const b64decode = (input, encoding, format) => decode(text(input), text(encoding), text(format) === 's');

export default { b64encode, b64decode };
