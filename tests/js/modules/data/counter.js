// A CommonJS file whose exports change.
exports.count = 0;
exports.increase = function () {
  exports.count++;
  return this;
};
Object.defineProperty(exports, '__esModule', { value: true });
