// What frames and pages do with elements. An expression, called with what the parts share.
(env) => ({ addSelectors() {} })
