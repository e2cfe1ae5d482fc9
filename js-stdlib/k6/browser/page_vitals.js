// Runs in every document, in the world of our own scripts: measures the vitals and reports them by a function that only this world
// has. It is called with the library of the vitals.
(webVitals) => {
  const listeners = [];
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
  Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => (isLast ? 'hidden' : visibility.get.call(document)) });
  const send = ({ name, value, rating }) => {
    globalThis.volleyReportVital?.(JSON.stringify({ name, value, rating, url: location.href, time: Date.now() }));
  };
  // A page that is left before it was painted gets the moment it needs.
  const painted = async () => {
    const isPainted = () => performance.getEntriesByName('first-contentful-paint').length > 0;
    const pause = (millis) => new Promise((resolve) => setTimeout(resolve, millis));
    for (let turn = 0; turn < 20 && !isPainted(); turn++) {
      await Promise.race([new Promise((resolve) => requestAnimationFrame(resolve)), pause(20)]);
    }
    await pause(0);
  };
  globalThis.volleyReportVitals = async () => {
    await painted();
    isLast = true;
    const event = new Event('visibilitychange');
    for (const listener of listeners.slice()) {
      if (typeof listener === 'function') listener.call(document, event);
      else listener.handleEvent(event);
    }
    isLast = false;
  };
  webVitals.onTTFB(send);
  webVitals.onFCP(send);
  webVitals.onLCP(send);
  webVitals.onINP(send);
  webVitals.onCLS(send);
}
