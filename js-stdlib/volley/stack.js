// Stack traces as k6 writes them, on an engine that lets scripts shape them. A lazy script.
({ origin, explain }, { call, primordials }) => {
const { Error, ObjectDefineProperty, ObjectGetOwnPropertyDescriptor, StringPrototypeIndexOf, TypeError } = primordials;
const place = (site) => `${site.getFileName()}:${site.getLineNumber()}:${site.getColumnNumber()}`;
const begins = (text, start) => call(StringPrototypeIndexOf, text, start) === 0;
const isScript = (file) => begins(file, 'file://') || begins(file, 'https://');
// What the engine throws doesn't say what was no function, or had no property: the text at its place does.
const isVague = (text) =>
  text === 'not a function' || text === 'not a constructor' || begins(text, "cannot read property '") ||
  begins(text, "cannot set property '") || begins(text, 'Cannot convert u');
function name(error, site) {
  const own = ObjectGetOwnPropertyDescriptor(error, 'message');
  if (site === undefined || own === undefined || typeof own.value !== 'string' || !isVague(own.value)) return;
  if (!isScript(`${site.getFileName()}`)) return;
  const value = explain(place(site), own.value);
  if (value !== undefined) ObjectDefineProperty(error, 'message', { ...own, value, __proto__: null });
}
Error.prepareStackTrace = (error, sites) => {
  if (error instanceof TypeError) name(error, sites[0]);
  let text = `${error}\n`;
  for (let at = 0; at < sites.length; at++) {
    const site = sites[at];
    const file = site.getFileName();
    if (!file || !isScript(file)) continue;
    const from = origin(place(site));
    const name = site.getFunctionName();
    text += name && name !== '<anonymous>' ? `\tat ${name} (${from})\n` : `\tat ${from}\n`;
  }
  return text;
};
delete Error.prepareStackTrace;
delete Error.captureStackTrace;
delete Error.stackTraceLimit;
}
