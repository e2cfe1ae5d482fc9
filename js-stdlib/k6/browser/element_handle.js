// Handles to elements. An expression, called with what the parts share.
(env) => {
const { JSHandle } = env.load('execution');
class ElementHandle extends JSHandle {
  asElement() { return this; }
}
return { ElementHandle };
}
