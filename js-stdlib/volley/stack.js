// Stack traces as k6 writes them, on an engine that lets scripts shape them. A part.
({ origin, explain }) => {
const place = (site) => `${site.getFileName()}:${site.getLineNumber()}:${site.getColumnNumber()}`;
// What the engine throws doesn't say what was no function, or had no property: the text at its place does.
function name(error, site) {
  const own = Object.getOwnPropertyDescriptor(error, 'message');
  if (site === undefined || own === undefined || !/^(not a (function|constructor)$|cannot (read|set) property '|Cannot convert u)/.test(own.value)) return;
  if (!/^(file|https):\/\//.test(site.getFileName())) return;
  const value = explain(place(site), own.value);
  if (value !== undefined) Object.defineProperty(error, 'message', { ...own, value });
}
Error.prepareStackTrace = (error, sites) => {
  if (error instanceof TypeError) name(error, sites[0]);
  let text = `${error}\n`;
  for (const site of sites) {
    const file = site.getFileName();
    if (!file || !/^(file|https):\/\//.test(file)) continue;
    const at = origin(place(site));
    const name = site.getFunctionName();
    text += name && name !== '<anonymous>' ? `\tat ${name} (${at})\n` : `\tat ${at}\n`;
  }
  return text;
};
delete Error.prepareStackTrace;
delete Error.captureStackTrace;
delete Error.stackTraceLimit;
}
