// Runs in every document, in the world of our own scripts: measures the vitals and reports them by a function that only this world
// has. It is called with the library of the vitals.
(webVitals) => {
  const listeners = [];
  const observers = [];
  let isLast = false;
  // The library is told at the end of an iteration that the page is hidden; the page's own scripts are not.
  for (const target of [globalThis, document]) {
    const add = target.addEventListener;
    target.addEventListener = function (type, listener, options) {
      if (type === 'visibilitychange' || type === 'pagehide') listeners.push(listener);
      return add.call(target, type, listener, options);
    };
  }
  const visibility = Object.getOwnPropertyDescriptor(Document.prototype, 'visibilityState');
  const visibilityNow = () => visibility.get.call(document);
  Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => (isLast ? 'hidden' : visibilityNow()) });
  // What was measured reaches the library some time later; a page that is left can't wait for that.
  const Observer = globalThis.PerformanceObserver;
  globalThis.PerformanceObserver = class extends Observer {
    constructor(callback) {
      super(callback);
      observers.push({ observer: this, callback });
    }
  };
  const deliver = () => {
    for (const { observer, callback } of observers.slice()) {
      const entries = observer.takeRecords();
      if (entries.length > 0) callback({ getEntries: () => entries }, observer);
    }
  };
  const send = ({ name, value, rating }) => {
    globalThis.volleyReportVital?.(JSON.stringify({ name, value, rating, url: location.href, time: Date.now() }));
  };
  const isPainted = () => performance.getEntriesByName('first-contentful-paint').length > 0;
  const hasContent = () => {
    const body = document.body;
    return body !== null && (body.querySelector?.('img, svg, canvas, video') != null || body.innerText?.trim().length > 0);
  };
  const pause = (millis) => new Promise((resolve) => setTimeout(resolve, millis));
  const frame = () => Promise.race([new Promise((resolve) => requestAnimationFrame(resolve)), pause(500)]);
  // A page that is left before it was painted gets the time it needs: a slow machine's frames are counted, not its seconds. One
  // without anything to show is never painted.
  const painted = async () => {
    const begun = performance.now();
    for (let turn = 0; turn < 40 && !isPainted(); turn++) {
      if (visibilityNow() === 'hidden' || performance.now() - begun > 4000 || (turn >= 3 && !hasContent())) break;
      await frame();
    }
  };
  // A page that comes back is measured anew, when it has been painted again.
  let restored;
  const repainted = async () => {
    for (let turn = 0; turn < 3; turn++) await frame();
  };
  globalThis.addEventListener('pageshow', ({ persisted }) => {
    if (persisted) restored = repainted();
  }, true);
  globalThis.volleyReportVitals = async () => {
    await painted();
    await restored;
    // Twice: what is delivered first can make the library look for more.
    for (let turn = 0; turn < 2; turn++) {
      await pause(0);
      deliver();
    }
    await pause(0);
    isLast = true;
    const event = { type: 'visibilitychange', isTrusted: true, timeStamp: performance.now(), target: document };
    for (const listener of listeners.slice()) {
      if (typeof listener === 'function') listener.call(document, event);
      else listener.handleEvent(event);
    }
    isLast = false;
  };
  // Comes before the page is said to be hidden.
  globalThis.addEventListener('pagehide', deliver, true);
  webVitals.onTTFB(send);
  webVitals.onFCP(send);
  webVitals.onLCP(send);
  webVitals.onINP(send);
  webVitals.onCLS(send);
}
