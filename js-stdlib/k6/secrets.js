// Values that must not be seen, from the sources of --secret-source. `get` gives a promise.
import { get } from 'native:k6/secrets';

export default {
  get: (key) => get(undefined, String(key)),
  source: (name) => ({ get: (key) => get(String(name), String(key)) }),
};
