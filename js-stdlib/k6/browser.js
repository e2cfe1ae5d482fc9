// k6/browser: what a script imports. Everything behind it is in lazy scripts: a script that never asks for a page has none of it.
import * as native from 'native:k6/browser';
import * as natives from 'native:volley/globals';
import { once, call, primordials } from 'native:engine';

const { ObjectFreeze, ObjectGetOwnPropertyDescriptor, ObjectKeys, Proxy } = primordials;

native.declare();

let made;
function parts() {
  if (made !== undefined) return made;
  const bind = natives.propagatesContext() ? once('volley/async_context').bind : (handler) => handler;
  const env = { native, once, call, primordials, bind, load: (name) => once(`k6/browser/${name}`, env) };
  made = env.load('browser');
  // What a context says it belongs to.
  made.browser.face = browser;
  return made;
}

export const browser = {
  closeContext: () => parts().browser.closeContext(),
  context: () => parts().browser.context(),
  isConnected: () => parts().browser.isConnected(),
  newContext: (options) => parts().browser.newContext(options),
  newPage: (options) => parts().browser.newPage(options),
  userAgent: () => parts().browser.userAgent(),
  version: () => parts().browser.version(),
};

export const chromium = {
  connectOverCDP: (url, options) => parts().connectOverCDP(url, options),
};

// The devices are a long list: it is made when somebody looks.
const filled = (list) => {
  if (ObjectKeys(list).length === 0) once('k6/browser/devices')(list);
  return list;
};
export const devices = new Proxy({}, {
  __proto__: null,
  get: (list, name) => filled(list)[name],
  has: (list, name) => name in filled(list),
  ownKeys: (list) => ObjectKeys(filled(list)),
  getOwnPropertyDescriptor: (list, name) => ObjectGetOwnPropertyDescriptor(filled(list), name),
});

export const networkProfiles = ObjectFreeze({
  'No Throttling': ObjectFreeze({ latency: 0, download: -1, upload: -1 }),
  'Fast 3G': ObjectFreeze({ latency: 562.5, download: 180000, upload: 84375 }),
  'Slow 3G': ObjectFreeze({ latency: 2000, download: 50000, upload: 50000 }),
});
