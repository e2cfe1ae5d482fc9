// `require` in a module that is no CommonJS. A part.
(_, { load }) => (name) => load('volley/commonjs').require(name, '')
