// `require` in a module that is no CommonJS. A lazy script.
(_, { load }) => (name) => load('volley/commonjs').require(name, '')
