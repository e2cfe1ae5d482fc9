const inner = require('./inner.js');
exports.helper = (text) => inner + text.trim();
