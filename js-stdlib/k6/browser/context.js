// Contexts: pages that share cookies and settings, and nothing with others. An expression, called with what the parts share.
(env) => {
const { native, bind, call, primordials } = env;
const { BrowserError, all, hide, includes, map, messageOf, nothing, push, quiet, select, then, timeoutOf, within, without } = env.load('session');
const { ArrayIsArray, Number, ObjectKeys, Promise, PromiseResolve, String, StringPrototypeIndexOf, StringPrototypeSlice, StringPrototypeToLowerCase } = primordials;

// k6's names of permissions, and the browser's.
const PERMISSIONS = {
  __proto__: null, geolocation: 'geolocation', midi: 'midi', 'midi-sysex': 'midiSysex', notifications: 'notifications', camera: 'videoCapture', microphone: 'audioCapture',
  'background-sync': 'backgroundSync', 'ambient-light-sensor': 'sensors', accelerometer: 'sensors', gyroscope: 'sensors', magnetometer: 'sensors', 'accessibility-events': 'accessibilityEvents',
  'clipboard-read': 'clipboardReadWrite', 'clipboard-write': 'clipboardSanitizedWrite', 'payment-handler': 'paymentHandler',
};
const SAME_SITES = { __proto__: null, Strict: true, Lax: true, None: true };

const textOr = (value, usual) => (nothing(value) ? usual : String(value));
const boolOr = (value, usual) => (nothing(value) ? usual : !!value);

function textMap(given) {
  const texts = {};
  const names = ObjectKeys(given ?? {});
  for (let at = 0; at < names.length; at++) texts[names[at]] = String(given[names[at]]);
  return texts;
}

function pairOf(size, what) {
  if (nothing(size)) return undefined;
  const width = Number(size.width), height = Number(size.height);
  if (!(width >= 0 && height >= 0)) throw new BrowserError(`parsing ${what}: a width and a height are needed`);
  return { width, height };
}

function checkLocation(given) {
  const latitude = Number(given?.latitude), longitude = Number(given?.longitude), accuracy = nothing(given?.accuracy) ? 0 : Number(given.accuracy);
  const bad = (name, value, from, to) => new BrowserError(`validating geo location: invalid ${name} "${fixed(value)}": precondition ${from} <= ${upper(name)} <= ${to} failed`);
  if (!(latitude >= -90 && latitude <= 90)) throw bad('latitude', latitude, -90, 90);
  if (!(longitude >= -180 && longitude <= 180)) throw bad('longitude', longitude, -180, 180);
  if (!(accuracy >= 0)) throw new BrowserError(`validating geo location: invalid accuracy "${fixed(accuracy)}": precondition 0 <= ACCURACY failed`);
  return { latitude, longitude, accuracy };
}
const upper = (name) => (name === 'latitude' ? 'LATITUDE' : 'LONGITUDE');
// With two decimals, as k6 writes it.
const fixed = (value) => {
  if (value - value !== 0) return 'NaN';
  const scaled = (value < 0 ? -value : value) * 100 + 0.5;
  const hundredths = scaled - (scaled % 1);
  const rest = hundredths % 100;
  return `${value < 0 ? '-' : ''}${(hundredths - rest) / 100}.${rest < 10 ? '0' : ''}${rest}`;
};

// The options of a context, checked.
function readOptions(given) {
  const options = given ?? {};
  const viewport = options.viewport === null ? null : pairOf(options.viewport, 'viewport') ?? { width: 1280, height: 720 };
  const credentials = options.httpCredentials;
  const locale = textOr(options.locale, 'en-US');
  return {
    bypassCSP: boolOr(options.bypassCSP, false),
    colorScheme: textOr(options.colorScheme, 'light'),
    deviceScaleFactor: nothing(options.deviceScaleFactor) ? 1 : Number(options.deviceScaleFactor),
    extraHTTPHeaders: textMap(options.extraHTTPHeaders),
    geolocation: nothing(options.geolocation) ? undefined : checkLocation(options.geolocation),
    hasTouch: boolOr(options.hasTouch, false),
    httpCredentials: nothing(credentials) ? undefined : { username: textOr(credentials.username, ''), password: textOr(credentials.password, '') },
    ignoreHTTPSErrors: boolOr(options.ignoreHTTPSErrors, false),
    isMobile: boolOr(options.isMobile, false),
    javaScriptEnabled: boolOr(options.javaScriptEnabled, true),
    locale,
    isLocaleGiven: !nothing(options.locale),
    offline: boolOr(options.offline, false),
    permissions: nothing(options.permissions) ? [] : permissionsOf(options.permissions),
    reducedMotion: textOr(options.reducedMotion, 'no-preference'),
    screen: pairOf(options.screen, 'screen'),
    timezoneID: textOr(options.timezoneID ?? options.timezoneId, ''),
    userAgent: textOr(options.userAgent, ''),
    viewport,
  };
}

function permissionsOf(list) {
  if (!ArrayIsArray(list)) throw new BrowserError('permissions must be a list of names');
  return map(list, (name) => {
    const known = PERMISSIONS[String(name)];
    if (known === undefined) throw new BrowserError(`"${String(name)}" is an invalid permission`);
    return known;
  });
}

class BrowserContext {
  constructor(browser, link, options, about) {
    hide(this, {
      ofBrowser: browser, link, options, about, id: undefined, isClosed: false, pageList: [], scripts: [], millis: undefined, navigationMillis: undefined, isOffline: options.offline, waiting: [], lastConditions: undefined,
    });
  }

  async create() {
    const { browserContextId } = await this.link.send('', 'Target.createBrowserContext', { disposeOnDetach: true });
    this.id = browserContextId;
    if (this.options.permissions.length > 0) await this.#grant(this.options.permissions);
  }

  // A target that belongs to it, if it does.
  adopt(session, target, parent) {
    if (target.type === 'page') {
      const { Page } = env.load('page');
      const page = new Page(this, session, target);
      push(this.pageList, page);
      then(page.ready, () => {
        const waiting = this.waiting;
        for (let at = 0; at < waiting.length; at++) waiting[at](page);
      }, () => {});
      return true;
    }
    const owner = select(this.pageList, (page) => page.targets.has(parent))[0];
    if (target.type === 'worker' && owner !== undefined) owner.addWorker(session, target.url);
    else if (target.type === 'iframe' && owner !== undefined) owner.targets.adopt(session, target);
    else quiet(session.send('Runtime.runIfWaitingForDebugger'));
    return true;
  }

  dropPage(page) { this.pageList = without(this.pageList, page); }
  pageById(id) { return select(this.pageList, (page) => page.targetId === id)[0]; }

  // The commands that make a page what the options say.
  emulation(page) {
    const { options } = this;
    const commands = [];
    const agent = options.userAgent !== '' || options.isLocaleGiven;
    if (agent) push(commands, ['Emulation.setUserAgentOverride', { userAgent: options.userAgent === '' ? this.about.userAgent : options.userAgent, acceptLanguage: options.locale }]);
    push(commands, ['Emulation.setLocaleOverride', { locale: options.locale }]);
    if (options.timezoneID !== '') push(commands, ['Emulation.setTimezoneOverride', { timezoneId: options.timezoneID }]);
    if (options.hasTouch) push(commands, ['Emulation.setTouchEmulationEnabled', { enabled: true }]);
    if (!options.javaScriptEnabled) push(commands, ['Emulation.setScriptExecutionDisabled', { value: true }]);
    if (options.bypassCSP) push(commands, ['Page.setBypassCSP', { enabled: true }]);
    if (options.ignoreHTTPSErrors) push(commands, ['Security.setIgnoreCertificateErrors', { ignore: true }]);
    if (options.geolocation !== undefined) push(commands, ['Emulation.setGeolocationOverride', options.geolocation]);
    if (this.isOffline) push(commands, this.#conditions(page));
    return commands;
  }

  #conditions(page) {
    const conditions = page.conditions ?? { latency: 0, downloadThroughput: -1, uploadThroughput: -1 };
    return ['Network.emulateNetworkConditions', { offline: this.isOffline, ...conditions }];
  }

  async setConditions(page, conditions) {
    hide(page, { conditions });
    const command = this.#conditions(page);
    await page.targets.tell(command[0], command[1]);
  }

  // What all pages are told, now and later.
  #each(tell) { return all(map(this.pageList, (page) => tell(page))); }

  async #grant(permissions, origin) {
    const params = { browserContextId: this.id, permissions };
    if (origin !== undefined) params.origin = origin;
    await this.link.send('', 'Browser.grantPermissions', params);
  }

  // What a script asks -----------------------------------------------------------------------------------------------

  async addCookies(cookies) {
    if (!ArrayIsArray(cookies)) throw new BrowserError('cookies must be a list');
    const list = map(cookies, cookieOf);
    try {
      await this.link.send('', 'Storage.setCookies', { browserContextId: this.id, cookies: list });
    } catch (error) {
      throw new BrowserError(`cannot set cookies: ${messageOf(error)}${error.code === undefined ? '' : ` (${error.code})`}`);
    }
  }

  async addInitScript(script, ...args) {
    let source;
    if (typeof script === 'function') source = `(${String(script)})(${args.length > 0 ? primordials.JSONStringify(args[0]) : ''})`;
    else if (typeof script === 'object' && !nothing(script?.content)) source = String(script.content);
    else source = textOr(script, '');
    push(this.scripts, source);
    await this.#each((page) => page.targets.tellOnce('Page.addScriptToEvaluateOnNewDocument', { source }));
  }

  browser() { return env.load('browser').faceOf(this.ofBrowser); }

  async clearCookies() { await within('clearing cookies', this.link.send('', 'Storage.clearCookies', { browserContextId: this.id })); }

  async clearPermissions() {
    await within('clearing permissions', this.link.send('', 'Browser.resetPermissions', { browserContextId: this.id }));
  }

  async close() {
    if (this.isClosed) return;
    // Each page reports its last vitals before.
    await all(map(this.pageList, (page) => quiet(page.close())));
    this.isClosed = true;
    this.ofBrowser.drop(this);
    await within('closing context', this.link.send('', 'Target.disposeBrowserContext', { browserContextId: this.id }));
  }

  async cookies(...urls) {
    const wanted = [];
    for (let at = 0; at < urls.length; at++) {
      const list = ArrayIsArray(urls[at]) ? urls[at] : [urls[at]];
      for (let next = 0; next < list.length; next++) push(wanted, addressOf(String(list[next])));
    }
    const { cookies } = await within('getting cookies', this.link.send('', 'Storage.getCookies', { browserContextId: this.id }));
    const found = urls.length === 0 ? cookies : select(cookies, (cookie) => select(wanted, (url) => isFor(cookie, url)).length > 0);
    return map(found, (cookie) => ({
      name: cookie.name, value: cookie.value, domain: cookie.domain, path: cookie.path, expires: cookie.expires, httpOnly: cookie.httpOnly, secure: cookie.secure, sameSite: cookie.sameSite ?? '',
    }));
  }

  async grantPermissions(permissions, options) {
    await this.#grant(permissionsOf(permissions), nothing(options?.origin) ? undefined : String(options.origin));
  }

  async newPage() {
    if (this.isClosed) throw new BrowserError('creating new page in browser context: the context is closed');
    const millis = native.startTimeout();
    const context = 'creating new page in browser context';
    const page = this.link.wait((good, bad) => {
      let targetId;
      const look = () => {
        const found = targetId === undefined ? undefined : this.pageById(targetId);
        if (found !== undefined) then(found.ready, () => good(found), bad);
      };
      push(this.waiting, look);
      const created = this.link.send('', 'Target.createTarget', { url: 'about:blank', browserContextId: this.id }, true);
      then(created, (reply) => {
        targetId = reply.targetId;
        look();
      }, bad);
      return () => { this.waiting = without(this.waiting, look); };
    }, millis, () => new BrowserError('creating a new blank page: context deadline exceeded'));
    return within(context, page);
  }

  pages() { return map(this.pageList, (page) => page); }

  setDefaultTimeout(millis) { this.millis = Number(millis); }
  setDefaultNavigationTimeout(millis) { this.navigationMillis = Number(millis); }

  async setGeolocation(location) {
    this.options.geolocation = nothing(location) ? undefined : checkLocation(location);
    await this.#each((page) => page.targets.tell('Emulation.setGeolocationOverride', this.options.geolocation ?? {}));
  }

  async setHTTPCredentials(credentials) {
    native.warn('setHTTPCredentials is deprecated; create a new context with httpCredentials instead');
    this.options.httpCredentials = nothing(credentials) ? undefined : { username: textOr(credentials.username, ''), password: textOr(credentials.password, '') };
    await this.#each((page) => {
      page.network.credentials = this.options.httpCredentials;
      return page.network.fetch();
    });
  }

  async setOffline(offline) {
    this.isOffline = !!offline;
    await this.#each((page) => {
      const command = this.#conditions(page);
      return page.targets.tell(command[0], command[1]);
    });
  }

  async waitForEvent(event, given) {
    if (event !== 'page') throw new BrowserError(`incorrect event "${String(event)}", "page" is the only event supported`);
    const predicate = typeof given === 'function' ? given : given?.predicate;
    const millis = timeoutOf(typeof given === 'object' ? given : undefined, this.millis ?? 30000);
    const bound = typeof predicate === 'function' ? bind(predicate) : () => true;
    return this.link.wait((good, bad) => {
      const look = (page) => {
        try {
          then(call(PromiseResolve, Promise, bound(page)), (isIt) => { if (isIt) good(page); }, bad);
        } catch (error) {
          bad(error);
        }
      };
      push(this.waiting, look);
      return () => { this.waiting = without(this.waiting, look); };
    }, millis, () => new BrowserError(`waitForEvent timed out after ${native.span(millis)}`));
  }
}

// Cookies ------------------------------------------------------------------------------------------------------------

function cookieOf(given) {
  const has = (name) => !nothing(given?.[name]) && given[name] !== '';
  if (!has('name')) throw new BrowserError('cookie name must be set');
  if (nothing(given.value)) throw new BrowserError('cookie value must be set');
  if (!has('url') && !(has('domain') && has('path'))) throw new BrowserError('if cookie URL is not provided, both domain and path must be specified');
  const cookie = { name: String(given.name), value: String(given.value) };
  if (has('url')) cookie.url = String(given.url);
  if (has('domain')) cookie.domain = String(given.domain);
  if (has('path')) cookie.path = String(given.path);
  if (!nothing(given.expires) && Number(given.expires) !== -1) cookie.expires = Number(given.expires);
  if (!nothing(given.httpOnly)) cookie.httpOnly = !!given.httpOnly;
  if (!nothing(given.secure)) cookie.secure = !!given.secure;
  if (has('sameSite')) {
    if (!SAME_SITES[String(given.sameSite)]) throw new BrowserError(`invalid sameSite "${String(given.sameSite)}"; must be one of: Strict, Lax, None`);
    cookie.sameSite = String(given.sameSite);
  }
  return cookie;
}

const slice = (text, from, to) => call(StringPrototypeSlice, text, from, to);
const indexOf = (text, part) => call(StringPrototypeIndexOf, text, part);

// The parts of an address that cookies go by.
function addressOf(url) {
  const scheme = indexOf(url, '://');
  if (scheme < 0) throw new BrowserError(`parsing URL "${url}": it must be absolute`);
  const isSecure = slice(url, 0, scheme) === 'https' || slice(url, 0, scheme) === 'wss';
  let rest = slice(url, scheme + 3);
  const ends = ['?', '#'];
  for (let at = 0; at < ends.length; at++) if (includes(rest, ends[at])) rest = slice(rest, 0, indexOf(rest, ends[at]));
  const slash = indexOf(rest, '/');
  const authority = slash < 0 ? rest : slice(rest, 0, slash);
  const port = authority[0] === '[' ? indexOf(authority, ']') + 1 : indexOf(authority, ':');
  const host = call(StringPrototypeToLowerCase, port > 0 ? slice(authority, 0, port) : authority);
  return { isSecure, host, path: slash < 0 ? '/' : slice(rest, slash) };
}

// True for a cookie that would be sent there (RFC 6265, section 5.4).
function isFor(cookie, { isSecure, host, path }) {
  const domain = cookie.domain[0] === '.' ? slice(cookie.domain, 1) : cookie.domain;
  const isSub = cookie.domain[0] === '.' && slice(host, host.length - domain.length - 1) === `.${domain}`;
  if (host !== domain && !isSub) return false;
  if (cookie.secure && !isSecure && host !== 'localhost') return false;
  const prefix = cookie.path;
  if (path === prefix) return true;
  return slice(path, 0, prefix.length) === prefix && (prefix[prefix.length - 1] === '/' || path[prefix.length] === '/');
}

return { BrowserContext, readOptions };
}
