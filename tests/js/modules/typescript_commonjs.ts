// `import = require` and `export =` are CommonJS with types.
// console: function 42
import tools = require('./data/old.ts');
const type = typeof tools.check as string;
exports.default = (): void => { console.log(type, tools.answer); };
