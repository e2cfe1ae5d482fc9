// Small helpers in CommonJS, as older libraries are written.
exports.between = function (least, most) {
  return least + Math.floor(Math.random() * (most - least + 1));
};
exports.pick = function (list) {
  return list[exports.between(0, list.length - 1)];
};
