// The consolidated options, written over what the script exports as `options`. A part.
() => (options, values) => {
if (options === null || typeof options !== 'object') return;
for (const key of Object.keys(values)) {
  if (values[key] !== null) options[key] = values[key];
}
}
