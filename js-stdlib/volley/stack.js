// Stack traces as k6 writes them, on an engine that lets scripts shape them. A part.
({ origin }) => {
Error.prepareStackTrace = (error, sites) => {
  let text = `${error}\n`;
  for (const site of sites) {
    const file = site.getFileName();
    if (!file || !/^(file|https):\/\//.test(file)) continue;
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
