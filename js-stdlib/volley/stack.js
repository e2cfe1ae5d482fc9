// Stack traces as k6 writes them, on an engine that lets scripts shape them. A part.
({ origin }, { call, primordials }) => {
const { Error, StringPrototypeIndexOf } = primordials;
Error.prepareStackTrace = (error, sites) => {
  let text = `${error}\n`;
  for (let at = 0; at < sites.length; at++) {
    const site = sites[at];
    const file = site.getFileName();
    if (!file || (call(StringPrototypeIndexOf, file, 'file://') !== 0 && call(StringPrototypeIndexOf, file, 'https://') !== 0)) continue;
    const place = origin(`${file}:${site.getLineNumber()}:${site.getColumnNumber()}`);
    const name = site.getFunctionName();
    text += name && name !== '<anonymous>' ? `\tat ${name} (${place})\n` : `\tat ${place}\n`;
  }
  return text;
};
delete Error.prepareStackTrace;
delete Error.captureStackTrace;
delete Error.stackTraceLimit;
}
