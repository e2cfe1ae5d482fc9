exports.name = 'first';
const second = require('./second.js');
exports.second = second.name;
