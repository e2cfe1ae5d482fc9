(function (global, factory) {
  typeof exports === 'object' && typeof module !== 'undefined' ? factory(exports) :
  typeof define === 'function' && define.amd ? define(['exports'], factory) : factory((global.Lib = {}));
}(this, function (exports) { 'use strict'; exports.add = function (a, b) { return a + b; }; }));
