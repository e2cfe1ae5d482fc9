// The consolidated options, written over what the script exports as `options`. A lazy script.
(_, { primordials }) => (options, values) => {
if (options === null || typeof options !== 'object') return;
const keys = primordials.ObjectKeys(values);
for (let at = 0; at < keys.length; at++) {
  const value = values[keys[at]];
  if (value !== null) options[keys[at]] = value;
}
}
