import k6 = require('k6');
const tools = { check: k6.check, answer: 42 as number };
export = tools;
