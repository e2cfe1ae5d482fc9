// k6/http: the shapes scripts see. Arguments are checked, and bytes are moved, in Rust.
//
// Every VU has its own copy of this, so it is kept small: a function per verb, one way to read a response, and no
// table that Rust can hold. The rest is a lazy script.
import { request as send, constants } from 'native:k6/http';
import * as native from 'native:k6/http';
import { bind, evaluate, once, rebind, call, flatness, primordials } from 'native:engine';

// The native resource is under this symbol; an object that has it stands for the resource wherever it is passed.
const NATIVE = primordials.SymbolFor('volley.native');

let lazyScript;
const lazy = () => (lazyScript ??= evaluate('k6/http/lazy')(native, { NATIVE, bind, once, handler, call, flatness, primordials }));

// Responses ------------------------------------------------------------------------------------------------------

// A response is a proxy of the native resource with this handler. Fields are read when they are asked for.
const kept = { __proto__: null };
const handler = {
  __proto__: new primordials.Proxy({ __proto__: null }, { __proto__: null, get: (_, name) => lazy().traps[name] }),
  get: bind('k6/http', 'get', 'get', 2, () => (kept.methods = lazy().methods), NATIVE, kept, 'methods'),
};

// Requests -------------------------------------------------------------------------------------------------------

const forward = (name) => (...list) => primordials.ReflectApply(lazy()[name], undefined, list);
// For functions that don't count what they are called with.
const forwardFour = (name) => (one, two, three, four) => lazy()[name](one, two, three, four);

// Requests whose arguments are texts and plain objects are native; all others come here. A rest parameter costs a fifth of what
// `arguments` costs.
const withoutBody = (method) => bind('k6/http', 'request', '', 2, (url, params, ...more) => {
  if (more.length > 0) lazy().warnOfBody(method, 2 + more.length);
  return new primordials.Proxy(send(method, url, undefined, params === undefined ? undefined : lazy().plain(params)), handler);
}, method, handler, primordials.Proxy);
// As `method` says, and as the lazy script names it.
const withBody = (method, name) =>
  bind('k6/http', 'requestWithBody', '', 4, forwardFour(name), method, handler, primordials.Proxy);

// Exports --------------------------------------------------------------------------------------------------------

const members = constants();
// In a block, so that the list is freed.
{
  const fixed = primordials.ObjectKeys(members);
  for (let at = 0; at < fixed.length; at++) {
    primordials.ObjectDefineProperty(members, fixed[at], { __proto__: null, writable: false, configurable: false });
  }
}
members.get = withoutBody('GET');
members.head = withoutBody('HEAD');
members.CookieJar = function () {
  return lazy().CookieJar();
};
{
  const add = (names, make) => {
    for (let at = 0; at < names.length; at++) members[names[at]] = make(names[at]);
  };
  add(['url', 'cookieJar', 'file'], forward);
  const methods = { __proto__: null, post: 'POST', put: 'PUT', patch: 'PATCH', del: 'DELETE', options: 'OPTIONS' };
  add(['post', 'put', 'patch', 'del', 'options'], (name) => withBody(methods[name], name));
  add(['request', 'asyncRequest'], forwardFour);
  add(['batch'], (name) => bind('k6/http', 'batch', '', 0, forward(name), handler, primordials.Proxy));
  add(['setResponseCallback', 'expectedStatuses'], forward);
}

// Named imports see what a script puts in the place of a function.
const http = new primordials.Proxy(members, {
  __proto__: null,
  set(object, key, value) {
    try {
      object[key] = value;
    } catch {
      return false;
    }
    rebind('k6/http', key, value);
    return true;
  },
});

export default http;
export const {
  url, CookieJar, cookieJar, file, get, head, post, put, patch, del, options, request, asyncRequest, batch,
  setResponseCallback, expectedStatuses, TLS_1_0, TLS_1_1, TLS_1_2, TLS_1_3, OCSP_STATUS_GOOD, OCSP_STATUS_REVOKED,
  OCSP_STATUS_SERVER_FAILED, OCSP_STATUS_UNKNOWN, OCSP_REASON_UNSPECIFIED, OCSP_REASON_KEY_COMPROMISE,
  OCSP_REASON_CA_COMPROMISE, OCSP_REASON_AFFILIATION_CHANGED, OCSP_REASON_SUPERSEDED,
  OCSP_REASON_CESSATION_OF_OPERATION, OCSP_REASON_CERTIFICATE_HOLD, OCSP_REASON_REMOVE_FROM_CRL,
  OCSP_REASON_PRIVILEGE_WITHDRAWN, OCSP_REASON_AA_COMPROMISE,
} = members;
