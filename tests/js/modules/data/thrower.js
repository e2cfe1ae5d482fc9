exports.twice = (x) => x * 2;
exports.fail = function fail() {
  throw new Error('thrown here');
};
