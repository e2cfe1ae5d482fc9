// A test in CommonJS, as older tools bundle it: `require` and `exports` work as everywhere.
const http = require('k6/http');
const { check } = require('k6');
const { between } = require('./lib/random.js');

const BASE_URL = __ENV.BASE_URL || 'http://127.0.0.1:8080';

module.exports.options = { vus: 1, iterations: 3 };

module.exports.default = function () {
  const page = between(1, 5);
  const res = http.get(`${BASE_URL}/api/risks?limit=5&page=${page}`, { tags: { name: 'page' } });
  check(res, { 'is the page': (r) => r.json('page') === page });
};
