// log: http.gett is not a function
// hint: did you mean `http.get`?
const http = require('k6/http');

module.exports.default = function () {
  http.gett('http://127.0.0.1:9/');
};
