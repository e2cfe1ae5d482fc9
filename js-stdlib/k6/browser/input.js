// Keyboard, mouse and touchscreen. An expression, called with what the parts share.
(env) => ({})
