const require = (name) => name;
exports.name = require('x');
exports.wait = async (later) => {
  await later();
};
