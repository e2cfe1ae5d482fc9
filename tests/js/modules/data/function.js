// A CommonJS file that is a function.
module.exports = function (x) { return 'called with ' + x; };
module.exports.helper = () => 'helper';
