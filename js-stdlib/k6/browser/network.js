// What a page asks the network for: requests, responses, routes. Of requests that nobody asked about only the documents are known.
// An expression, called with what the parts share.
(env) => {
const { native, call, primordials } = env;
const { BrowserError, hide, map, messageOf, nothing, push, quiet, select, startsWith, then, without, wrapped } = env.load('session');
const { matches } = env.load('frame');
const { ArrayBufferIsView, ArrayBuffer, JSONParse, JSONStringify, Number, ObjectKeys, Promise, PromiseResolve, String, StringPrototypeToLowerCase } = primordials;

// So many documents of a page are remembered.
const MAX_DOCUMENTS = 50;
// How long a stopped request waits for the event that describes it.
const UNSEEN_MILLIS = 100;
const DOCUMENTS = ['"type":"Document"'];
const ABORTS = {
  __proto__: null, aborted: 'Aborted', accessdenied: 'AccessDenied', addressunreachable: 'AddressUnreachable', blockedbyclient: 'BlockedByClient',
  blockedbyresponse: 'BlockedByResponse', connectionaborted: 'ConnectionAborted', connectionclosed: 'ConnectionClosed', connectionfailed: 'ConnectionFailed',
  connectionrefused: 'ConnectionRefused', connectionreset: 'ConnectionReset', internetdisconnected: 'InternetDisconnected', namenotresolved: 'NameNotResolved',
  timedout: 'TimedOut', failed: 'Failed',
};

const lower = (text) => call(StringPrototypeToLowerCase, text);
const resolved = (value) => call(PromiseResolve, Promise, value);

// Lines of headers from an object; several values of one name are lines.
function headerLines(headers) {
  const lines = [];
  const names = ObjectKeys(headers);
  for (let at = 0; at < names.length; at++) {
    const name = names[at];
    const values = parted(String(headers[name]));
    for (let next = 0; next < values.length; next++) push(lines, { name, value: values[next] });
  }
  return lines;
}

function parted(text) {
  const parts = [];
  let rest = text;
  for (;;) {
    const at = call(primordials.StringPrototypeIndexOf, rest, '\n');
    if (at < 0) break;
    push(parts, call(primordials.StringPrototypeSlice, rest, 0, at));
    rest = call(primordials.StringPrototypeSlice, rest, at + 1);
  }
  push(parts, rest);
  return parts;
}

function headerValues(headers, name) {
  const wanted = lower(String(name));
  return map(select(headerLines(headers), (line) => lower(line.name) === wanted), (line) => line.value);
}

function joined(values) {
  let text = '';
  for (let at = 0; at < values.length; at++) text += at === 0 ? values[at] : `, ${values[at]}`;
  return text;
}
const headerValue = (headers, name) => {
  const values = headerValues(headers, name);
  return values.length === 0 ? null : joined(values);
};

// The size of headers as HTTP/1.1 writes them.
function headersSize(first, headers) {
  const lines = headerLines(headers);
  let size = first.length + 4;
  for (let at = 0; at < lines.length; at++) size += lines[at].name.length + lines[at].value.length + 4;
  return size;
}

class Request {
  constructor(network, event, session) {
    hide(this, {
      network, session, event, id: event.requestId, sent: event.request, extra: undefined, answer: undefined, error: undefined, isOver: false,
      end: undefined, watchers: [],
    });
  }

  // Something about it has changed.
  tell() {
    const watchers = this.watchers;
    for (let at = 0; at < watchers.length; at++) watchers[at]();
  }

  // Resolves once `holds()`.
  until(holds) {
    if (holds()) return resolved();
    return this.network.page.link.wait((good) => {
      const look = () => { if (holds()) good(); };
      push(this.watchers, look);
      return () => { this.watchers = without(this.watchers, look); };
    }, this.network.page.timeout(), () => new BrowserError('waiting for a request to end: timed out'));
  }

  allHeaders() { return resolved({ ...(this.extra ?? this.sent.headers) }); }
  failure() { return this.error === undefined ? null : { errorText: this.error }; }
  frame() { return this.network.page.frameById(this.event.frameId) ?? this.network.page.mainFrame(); }
  headers() { return { ...this.sent.headers }; }
  headersArray() { return resolved(headerLines(this.extra ?? this.sent.headers)); }
  headerValue(name) { return resolved(headerValue(this.extra ?? this.sent.headers, name)); }
  isNavigationRequest() { return this.event.loaderId === this.id && this.event.type === 'Document'; }
  method() { return this.sent.method; }
  postData() { return this.sent.postData ?? null; }
  postDataBuffer() { return this.sent.postData === undefined ? null : native.base64(native.textBase64(this.sent.postData)); }
  resourceType() { return this.event.type ?? 'Other'; }
  url() { return `${this.sent.url}${this.sent.urlFragment ?? ''}`; }

  async response() {
    await this.until(() => this.answer !== undefined || this.isOver);
    return this.answer ?? null;
  }

  size() {
    const headers = headersSize(`${this.sent.method} ${this.sent.url} HTTP/1.1`, this.extra ?? this.sent.headers);
    const body = this.sent.postData === undefined ? 0 : native.base64(native.textBase64(this.sent.postData)).byteLength;
    return resolved({ headers, body });
  }

  timing() {
    const times = this.answer?.received.timing;
    const at = (name) => (times === undefined || nothing(times[name]) ? -1 : times[name]);
    const begun = times?.requestTime;
    return {
      startTime: this.event.wallTime === undefined ? 0 : this.event.wallTime * 1000,
      domainLookupStart: at('dnsStart'),
      domainLookupEnd: at('dnsEnd'),
      connectStart: at('connectStart'),
      secureConnectionStart: at('sslStart'),
      connectEnd: at('connectEnd'),
      requestStart: at('sendStart'),
      responseStart: at('receiveHeadersEnd'),
      responseEnd: begun === undefined || this.end?.timestamp === undefined ? -1 : (this.end.timestamp - begun) * 1000,
    };
  }
}

class Response {
  #body;

  constructor(request, received) {
    hide(this, { asked: request, received, extra: undefined });
  }

  allHeaders() { return resolved({ ...(this.extra ?? this.received.headers) }); }
  frame() { return this.asked.frame(); }
  headers() { return { ...this.received.headers }; }
  headersArray() { return resolved(headerLines(this.extra ?? this.received.headers)); }
  headerValue(name) { return resolved(headerValue(this.extra ?? this.received.headers, name)); }
  headerValues(name) { return resolved(headerValues(this.extra ?? this.received.headers, name)); }
  ok() { return this.received.status === 0 || (this.received.status >= 200 && this.received.status <= 299); }
  request() { return this.asked; }
  status() { return this.received.status; }
  statusText() { return this.received.statusText; }
  url() { return this.received.url; }

  async securityDetails() {
    const given = this.received.securityDetails;
    if (given === undefined) return null;
    return { issuer: given.issuer, protocol: given.protocol, subjectName: given.subjectName, validFrom: given.validFrom, validTo: given.validTo, sanList: map(given.sanList ?? [], (name) => name) };
  }

  async serverAddr() {
    const { remoteIPAddress, remotePort } = this.received;
    return remoteIPAddress === undefined ? null : { ipAddress: remoteIPAddress, port: remotePort };
  }

  async size() {
    const headers = headersSize(`HTTP/1.1 ${this.received.status} ${this.received.statusText}`, this.extra ?? this.received.headers);
    const total = this.asked.end?.encodedDataLength;
    if (total === undefined || !(this.received.encodedDataLength > 0)) return { headers, body: (await this.body()).byteLength };
    return { headers, body: total > this.received.encodedDataLength ? total - this.received.encodedDataLength : 0 };
  }

  // The body as the browser has it, fetched once.
  #fetched() {
    const { network } = this.asked;
    return (this.#body ??= (async () => {
      if (network.isFull && this.asked.end === undefined && !this.asked.isOver) await this.asked.until(() => this.asked.isOver);
      try {
        return await this.asked.session.send('Network.getResponseBody', { requestId: this.asked.id });
      } catch (error) {
        throw wrapped('getting response body', error);
      }
    })());
  }

  async body() {
    if (this.received.status >= 300 && this.received.status <= 399) throw new BrowserError('response body is unavailable for redirect responses');
    const { body, base64Encoded } = await this.#fetched();
    return native.base64(base64Encoded ? body : native.textBase64(body));
  }

  async text() {
    if (this.received.status >= 300 && this.received.status <= 399) throw new BrowserError('response body is unavailable for redirect responses');
    const { body, base64Encoded } = await this.#fetched();
    return base64Encoded ? native.base64Text(body) : body;
  }

  async json() {
    const text = await this.text();
    try {
      return JSONParse(text);
    } catch (error) {
      throw new BrowserError(`unmarshalling response body to JSON: ${messageOf(error)}`);
    }
  }
}

const base64Of = (value) => (value instanceof ArrayBuffer || ArrayBufferIsView(value) ? native.base64(value) : native.textBase64(typeof value === 'string' ? value : typeof value === 'object' ? JSONStringify(value) : String(value)));
const wireHeaders = (headers) => map(ObjectKeys(headers), (name) => ({ name, value: String(headers[name]) }));

// A request that waits for what the script makes of it.
class Route {
  #session;
  #paused;
  #asked;
  #isDone = false;

  constructor(session, paused, asked) {
    this.#session = session;
    this.#paused = paused;
    this.#asked = asked;
  }

  request() { return this.#asked; }
  abort(code) { return this.#end('aborting request', abortOf(this.#paused, code)); }

  continue(options) {
    const params = { requestId: this.#paused.requestId };
    if (!nothing(options?.url)) params.url = String(options.url);
    if (!nothing(options?.method)) params.method = String(options.method);
    if (!nothing(options?.postData)) params.postData = base64Of(options.postData);
    if (!nothing(options?.headers)) params.headers = wireHeaders(options.headers);
    return this.#end('continuing request', ['Fetch.continueRequest', params]);
  }

  fulfill(options) {
    const responseCode = nothing(options?.status) ? 200 : Number(options.status);
    const body = nothing(options?.body) ? '' : options.body;
    const headers = wireHeaders(options?.headers ?? {});
    const has = (name) => select(headers, (header) => lower(header.name) === name).length > 0;
    if (!nothing(options?.contentType) && !has('content-type')) push(headers, { name: 'Content-Type', value: String(options.contentType) });
    const encoded = base64Of(body);
    if (!has('content-length')) push(headers, { name: 'Content-Length', value: String(native.base64(encoded).byteLength) });
    return this.#end('fulfilling request', ['Fetch.fulfillRequest', { requestId: this.#paused.requestId, responseCode, responseHeaders: headers, body: encoded }]);
  }

  get isDone() { return this.#isDone; }

  async #end(context, command) {
    if (this.#isDone) throw new BrowserError(`${context}: route is already handled`);
    this.#isDone = true;
    try {
      await this.#session.send(command[0], command[1]);
    } catch (error) {
      // A page that has gone on or is closed has no use for it.
      if (!this.#session.isOpen || error.code === -32602) return;
      throw wrapped(context, error);
    }
  }
}

function abortOf(paused, code) {
  const errorReason = ABORTS[nothing(code) ? 'failed' : String(code)];
  if (errorReason === undefined) throw new BrowserError(`unknown error code: ${String(code)}`);
  return ['Fetch.failRequest', { requestId: paused.requestId, errorReason }];
}

// The requests of a page.
class Network {
  constructor(page) {
    const { targets } = page;
    hide(this, { page, isFull: false, requests: { __proto__: null }, documents: [], listeners: { __proto__: null }, routes: [], credentials: undefined, tried: { __proto__: null }, unseen: { __proto__: null }, fetches: false });
    targets.on('Network.requestWillBeSent', (event, session) => this.#sent(event, session), DOCUMENTS);
    targets.on('Network.responseReceived', (event) => this.#received(event), DOCUMENTS);
    targets.on('Fetch.requestPaused', (event, session) => this.#paused(event, session));
    targets.on('Fetch.authRequired', (event, session) => this.#authRequired(event, session));
  }

  // From now on all requests are followed.
  followAll() {
    if (this.isFull) return;
    this.isFull = true;
    const { targets } = this.page;
    const all = () => {};
    targets.on('Network.requestWillBeSent', all);
    targets.on('Network.responseReceived', all);
    targets.on('Network.requestWillBeSentExtraInfo', (event) => { this.#extra(event, 'sent'); });
    targets.on('Network.responseReceivedExtraInfo', (event) => { this.#extra(event, 'received'); });
    targets.on('Network.loadingFinished', (event, session) => this.#ended(event, undefined, session));
    targets.on('Network.loadingFailed', (event, session) => this.#ended(event, event.errorText, session));
  }

  listen(event, listener) {
    this.followAll();
    push((this.listeners[event] ??= []), listener);
    return () => { this.listeners[event] = without(this.listeners[event], listener); };
  }

  #emit(event, given) {
    const listeners = this.listeners[event];
    for (let at = 0; listeners !== undefined && at < listeners.length; at++) listeners[at](given);
  }

  responseOf(loaderId) {
    const answer = this.requests[loaderId]?.answer;
    // Nobody was asked for those.
    return answer === undefined || startsWith(answer.url(), 'data:') || startsWith(answer.url(), 'about:') ? null : answer;
  }

  // A document is in this target, whichever asked for it.
  moved(loaderId, session) {
    const request = this.requests[loaderId];
    if (request !== undefined) request.session = session;
  }

  #sent(event, session) {
    const known = this.requests[event.requestId];
    if (known !== undefined && event.redirectResponse !== undefined) {
      known.answer = new Response(known, event.redirectResponse);
      known.isOver = true;
      known.tell();
      this.#emit('response', known.answer);
      this.#emit('requestfinished', known);
    }
    const request = new Request(this, event, session);
    if (known !== undefined) hide(request, { redirectedFrom: known });
    this.requests[event.requestId] = request;
    if (event.type === 'Document') {
      push(this.documents, event.requestId);
      if (this.documents.length > MAX_DOCUMENTS) {
        delete this.requests[this.documents[0]];
        this.documents = without(this.documents, this.documents[0]);
      }
    }
    this.#emit('request', request);
    this.#seen(event.requestId);
  }

  #received({ requestId, response }) {
    const request = this.requests[requestId];
    if (request === undefined || request.answer !== undefined) return;
    request.answer = new Response(request, response);
    request.tell();
    this.#emit('response', request.answer);
  }

  #extra({ requestId, headers }, kind) {
    const request = this.requests[requestId];
    if (request === undefined) return;
    if (kind === 'sent') request.extra = headers;
    else if (request.answer !== undefined) request.answer.extra = headers;
  }

  #ended(event, failure, session) {
    const request = this.requests[event.requestId];
    if (request === undefined) return;
    request.session = session;
    request.end = event;
    request.isOver = true;
    if (failure !== undefined) request.error = failure;
    // What nobody holds is forgotten; documents are asked for later.
    if (request.event.type !== 'Document') delete this.requests[event.requestId];
    request.tell();
    this.#emit(failure === undefined ? 'requestfinished' : 'requestfailed', request);
  }

  // Routes -----------------------------------------------------------------------------------------------------------

  async route(pattern, handler) {
    this.followAll();
    push(this.routes, { pattern, handler });
    await this.fetch();
  }

  async unroute(pattern) {
    const text = String(pattern);
    this.routes = select(this.routes, (route) => String(route.pattern) !== text);
    await this.fetch();
  }

  async unrouteAll() {
    this.routes = [];
    await this.fetch();
  }

  // Requests are stopped where there are routes or credentials for them.
  async fetch() {
    const wanted = this.routes.length > 0 || this.credentials !== undefined;
    if (!wanted && !this.fetches) return;
    this.fetches = wanted;
    const { targets } = this.page;
    if (!wanted) {
      targets.forget('Fetch.enable');
      return void (await targets.tellOnce('Fetch.disable'));
    }
    await targets.tell('Fetch.enable', { handleAuthRequests: this.credentials !== undefined, patterns: [{ urlPattern: '*' }] });
  }

  #paused(event, session) {
    const { networkId } = event;
    if (this.routes.length === 0 || networkId === undefined || this.requests[networkId] !== undefined) return this.#routed(event, session);
    // What kind of request it is, the event says that a request was made; it may be on its way yet.
    this.unseen[networkId] = { event, session };
    this.page.link.after(UNSEEN_MILLIS, () => this.#seen(networkId));
  }

  #seen(networkId) {
    const paused = this.unseen[networkId];
    if (paused === undefined) return;
    delete this.unseen[networkId];
    this.#routed(paused.event, paused.session);
  }

  #routed(event, session) {
    const { request, networkId } = event;
    const url = `${request.url}${request.urlFragment ?? ''}`;
    for (let at = this.routes.length - 1; at >= 0; at--) {
      const { pattern, handler } = this.routes[at];
      if (!matches(pattern, url)) continue;
      const asked = this.requests[networkId] ?? new Request(this, { ...event, requestId: networkId ?? event.requestId, type: event.resourceType }, session);
      const route = new Route(session, event, asked);
      return this.#handle(route, handler);
    }
    quiet(session.send('Fetch.continueRequest', { requestId: event.requestId }));
  }

  // What a handler fails with is the iteration's failure; its request goes on meanwhile.
  #handle(route, handler) {
    let done;
    try {
      done = handler(route);
    } catch (error) {
      if (!route.isDone) quiet(route.continue());
      throw error;
    }
    if (nothing(done) || typeof done !== 'object') return;
    then(call(PromiseResolve, Promise, done), undefined, (error) => {
      if (!route.isDone) quiet(route.continue());
      throw error;
    });
  }

  #authRequired({ requestId }, session) {
    let response = 'Default';
    const credentials = this.credentials;
    if (this.tried[requestId]) response = 'CancelAuth';
    else if (credentials !== undefined) {
      response = 'ProvideCredentials';
      this.tried[requestId] = true;
    }
    const authChallengeResponse = response === 'ProvideCredentials' ? { response, username: credentials.username, password: credentials.password } : { response };
    quiet(session.send('Fetch.continueWithAuth', { requestId, authChallengeResponse }));
  }
}

return { Network, Request, Response, Route };
}
