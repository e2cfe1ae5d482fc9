// Stack traces as k6 writes them, on an engine that lets scripts shape them. A lazy script.
({ origin, explain, explainedPlace }, { call, primordials }) => {
const { Error, ObjectDefineProperty, ObjectGetOwnPropertyDescriptor, StringPrototypeIndexOf, TypeError } = primordials;
const place = (site) => `${site.getFileName()}:${site.getLineNumber()}:${site.getColumnNumber()}`;
const begins = (text, start) => call(StringPrototypeIndexOf, text, start) === 0;
const isScript = (file) => begins(file, 'file://') || begins(file, 'https://');
// What the engine throws doesn't say what was no function, or had no property: the text at its place does.
const isVague = (text) =>
  text === 'not a function' || text === 'not a constructor' || begins(text, "cannot read property '") ||
  begins(text, "cannot set property '") || begins(text, 'Cannot convert u') || begins(text, "invalid 'in") ||
  text === 'value is not iterable';
function name(error, site) {
  const own = ObjectGetOwnPropertyDescriptor(error, 'message');
  if (site === undefined || own === undefined || typeof own.value !== 'string' || !isVague(own.value)) return;
  if (!isScript(`${site.getFileName()}`)) {
    // A function of the language that was given something to call.
    if (own.value !== 'not a function' || !site.isNative() || !site.getFunctionName()) return;
    const value = `${site.getFunctionName()}() was given something that is not a function`;
    ObjectDefineProperty(error, 'message', { ...own, value, __proto__: null });
    return;
  }
  return explained(error, own, site);
}
function explained(error, own, site) {
  const value = explain(place(site), own.value);
  if (value === undefined) return;
  ObjectDefineProperty(error, 'message', { ...own, value, __proto__: null });
  return explainedPlace(place(site), value);
}
// A getter of a module of ours refused: engines note no place where it is read.
function getter(error, sites) {
  const own = ObjectGetOwnPropertyDescriptor(error, 'message');
  if (own === undefined || typeof own.value !== 'string' || !begins(own.value, 'getting ')) return;
  for (let at = 0; at < sites.length; at++) {
    if (isScript(`${sites[at].getFileName()}`)) return explained(error, own, sites[at]);
  }
}
Error.prepareStackTrace = (error, sites) => {
  const first = error instanceof TypeError ? name(error, sites[0]) : getter(error, sites);
  let text = `${error}\n`;
  let isFirst = true;
  for (let at = 0; at < sites.length; at++) {
    const site = sites[at];
    const file = site.getFileName();
    if (!file || !isScript(file)) continue;
    const from = (isFirst && first) || origin(place(site));
    const name = site.getFunctionName();
    isFirst = false;
    text += name && name !== '<anonymous>' ? `\tat ${name} (${from})\n` : `\tat ${from}\n`;
  }
  return text;
};
delete Error.prepareStackTrace;
delete Error.captureStackTrace;
delete Error.stackTraceLimit;
}
