const first = require('./first.js');
exports.name = 'second';
exports.seen = first.name;
exports.later = () => first.second;
