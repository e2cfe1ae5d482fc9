// What compilers make of an ES module.
'use strict';
Object.defineProperty(exports, '__esModule', { value: true });
exports.default = 'the default';
exports.named = 'the name';
exports['with-dash'] = 'dashed';
