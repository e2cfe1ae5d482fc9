// What runs in a page, in a world of its own, part 1: selectors. An expression for Runtime.evaluate, ordinary JavaScript of a
// browser, evaluated before injected.js; what roles and names are is in injected_roles.js.
(() => {
'use strict';
if (globalThis.volley) return;

const isElement = (node) => node?.nodeType === Node.ELEMENT_NODE;
const normal = (text) => text.replace(/[\u200b\u00ad]/g, '').trim().replace(/\s+/g, ' ');
const styleOf = (el) => el.ownerDocument.defaultView?.getComputedStyle(el);
const parentOf = (el) => el.parentElement ?? (el.getRootNode() instanceof ShadowRoot ? el.getRootNode().host : null);
// What a selector or an element can't be: for good.
class Refused extends Error {}

// ---- What is below a root: in the order of the page, what is in a shadow root right after its host.

function collect(root, list) {
  for (const el of root.querySelectorAll('*')) {
    list.push(el);
    if (el.shadowRoot) collect(el.shadowRoot, list);
  }
  return list;
}
function below(root) {
  return root.shadowRoot ? collect(root, collect(root.shadowRoot, [])) : collect(root, []);
}
function shadowRoots(elements, root) {
  const list = root.shadowRoot ? [root.shadowRoot] : [];
  for (const el of elements) if (el.shadowRoot) list.push(el.shadowRoot);
  return list;
}

// ---- Text

const SILENT = new Set(['SCRIPT', 'NOSCRIPT', 'STYLE', 'HEAD', 'TEMPLATE']);
const isButtonInput = (el) => el.nodeName === 'INPUT' && /^(?:submit|button|reset)$/.test(el.type);

// The text of an element as one reads it: with its shadow roots, and the label of a button that is an input.
function textOf(el, cache) {
  let text = cache.get(el);
  if (text !== undefined) return text;
  text = '';
  if (isButtonInput(el)) text = el.value;
  else if (!SILENT.has(el.nodeName)) {
    const add = (node) => {
      if (node.nodeType === Node.TEXT_NODE) text += node.nodeValue;
      else if (isElement(node)) text += textOf(node, cache);
    };
    el.childNodes.forEach(add);
    el.shadowRoot?.childNodes.forEach(add);
  }
  cache.set(el, text);
  return text;
}

// A test of a text by what a selector says: "text"i is a part in any case, "text"s or "text" the whole, /pattern/flags.
function matcher(body, lax = false) {
  const quoted = /^(["'])((?:\\.|(?!\1)[^\\])*)\1([is]?)$/s.exec(body);
  if (quoted) {
    const wanted = normal(quoted[1] === '"' ? unquote(quoted[2]) : quoted[2].replace(/\\(.)/gs, '$1'));
    if (quoted[3] !== 'i') return { test: (text) => normal(text) === wanted };
    const small = wanted.toLowerCase();
    return { test: (text) => normal(text).toLowerCase().includes(small), part: small };
  }
  const pattern = /^\/(.+)\/([a-z]*)$/s.exec(body);
  if (pattern) {
    const regexp = new RegExp(pattern[1], pattern[2].replace(/[gy]/g, ''));
    return { test: (text) => regexp.test(normal(text)) || regexp.test(text) };
  }
  if (!lax) throw new Refused(`a text in quotes or a regular expression was expected, not ${body}`);
  const small = normal(body).toLowerCase();
  return { test: (text) => normal(text).toLowerCase().includes(small), part: small };
}
function unquote(body) {
  try {
    return JSON.parse(`"${body.replace(/[\n\r\t]/g, (c) => ({ '\n': '\\n', '\r': '\\r', '\t': '\\t' })[c])}"`);
  } catch {
    return body.replace(/\\(.)/gs, '$1');
  }
}

// The smallest elements that have a text.
function byText(root, match) {
  const cache = new Map();
  const found = [];
  const visit = (el) => {
    if (SILENT.has(el.nodeName)) return false;
    const own = match.test(textOf(el, cache));
    if (match.part !== undefined && !own) return false;
    const at = found.length;
    let inside = false;
    if (!isButtonInput(el)) {
      if (el.shadowRoot) for (const child of el.shadowRoot.children) inside = visit(child) || inside;
      for (const child of el.children) inside = visit(child) || inside;
    }
    if (own && !inside) found.splice(at, 0, el);
    return own || inside;
  };
  if (isElement(root)) {
    if (root.shadowRoot) for (const child of root.shadowRoot.children) visit(child);
    for (const child of root.children) visit(child);
  } else for (const child of root.children) visit(child);
  return found;
}

// The labels of an element: what aria-labelledby names, else aria-label, else the label elements.
function labelsOf(el, cache) {
  const ids = el.getAttribute('aria-labelledby');
  if (ids !== null) {
    const named = ids.split(/\s+/).map((id) => id && el.getRootNode().getElementById?.(id)).filter(Boolean);
    if (named.length) return named.map((label) => textOf(label, cache));
  }
  const aria = el.getAttribute('aria-label');
  if (aria?.trim()) return [aria];
  return el.labels && !(el.nodeName === 'INPUT' && el.type === 'hidden') ? Array.from(el.labels, (label) => textOf(label, cache)) : [];
}

// ---- CSS, with the pseudo-classes :visible, :has-text(), :text(), :text-is() and :text-matches()

const CUSTOM = /:(?:visible\b|has-text\(|text\(|text-is\(|text-matches\()/;
const compiled = new Map();

// The end of what begins at `at`: a quoted text, or something in brackets.
function skip(text, at) {
  const open = text[at];
  if (open === '"' || open === "'") {
    for (at++; at < text.length && text[at] !== open; at++) if (text[at] === '\\') at++;
    return at + 1;
  }
  if (open === '\\') return at + 2;
  if (open !== '(' && open !== '[') return at + 1;
  const close = open === '(' ? ')' : ']';
  for (at++; at < text.length && text[at] !== close;) at = skip(text, at);
  return at + 1;
}
function splitCommas(text) {
  const parts = [];
  let from = 0;
  for (let at = 0; at < text.length;) {
    if (text[at] === ',') {
      parts.push(text.slice(from, at));
      from = ++at;
    } else at = skip(text, at);
  }
  parts.push(text.slice(from));
  return parts.map((part) => part.trim());
}
const argument = (text) => {
  text = text.trim();
  const quote = text[0];
  return (quote === '"' || quote === "'") && text.endsWith(quote) && text.length > 1 ? text.slice(1, -1).replace(/\\(.)/gs, '$1') : text;
};
const quoted = (text, flag) => JSON.stringify(text) + flag;

function pseudo(name, body) {
  switch (name) {
    case 'visible':
      return (el) => isVisible(el);
    case 'has-text': {
      const match = matcher(quoted(argument(body), 'i'));
      return (el) => !SILENT.has(el.nodeName) && match.test(textOf(el, new Map()));
    }
    case 'text':
    case 'text-is':
    case 'text-matches': {
      let match;
      if (name === 'text-matches') {
        const parts = splitCommas(body).map(argument);
        match = matcher(`/${parts[0]}/${parts[1] ?? ''}`);
      } else match = matcher(quoted(argument(body), name === 'text' ? 'i' : 's'));
      return (el) => {
        const cache = new Map();
        const has = (child) => !SILENT.has(child.nodeName) && match.test(textOf(child, cache));
        return has(el) && ![...el.children, ...(el.shadowRoot?.children ?? [])].some((child) => collect(child, [child]).some(has));
      };
    }
    case 'not': {
      const list = compileList(body);
      return (el) => !list.some((complex) => matches(el, complex));
    }
    case 'has': {
      const list = compileList(body);
      return (el) => list.some((complex) => {
        const first = complex.leading;
        if (first === '+') return el.nextElementSibling !== null && matches(el.nextElementSibling, complex);
        if (first === '~') {
          for (let next = el.nextElementSibling; next; next = next.nextElementSibling) if (matches(next, complex)) return true;
          return false;
        }
        return [...(first === '>' ? el.children : el.querySelectorAll('*'))].some((child) => matches(child, complex));
      });
    }
    default: {
      const list = compileList(body);
      return (el) => list.some((complex) => matches(el, complex));
    }
  }
}

function compileCompound(text) {
  let native = '';
  const tests = [];
  for (let at = 0; at < text.length;) {
    const start = at;
    const name = text[at] === ':' ? /^:([a-z-]+)/.exec(text.slice(at))?.[1] : undefined;
    if (name !== undefined) {
      at += name.length + 1;
      let body = '';
      if (text[at] === '(') {
        const end = skip(text, at);
        body = text.slice(at + 1, end - 1);
        at = end;
      }
      const ours = CUSTOM.test(text.slice(start, at)) && (/^(?:visible|has-text|text|text-is|text-matches|not|is|where|has)$/.test(name));
      if (ours) tests.push(pseudo(name, body));
      else native += text.slice(start, at);
    } else {
      at = skip(text, at);
      native += text.slice(start, at);
    }
  }
  return { native, tests };
}

// The compounds of a complex selector from the right, each with the combinator before it.
function compileComplex(text) {
  const steps = [];
  let leading = '';
  let combinator = '';
  let from = 0;
  const finish = (to) => {
    const compound = text.slice(from, to).trim();
    if (compound) steps.push({ combinator, ...compileCompound(compound) });
  };
  for (let at = 0; at < text.length;) {
    const space = /^\s*([>+~]|\s)\s*/.exec(text.slice(at));
    if (space && text[at] !== '\\') {
      finish(at);
      combinator = space[1].trim() || ' ';
      if (!steps.length && combinator !== ' ') leading = combinator;
      at += space[0].length;
      from = at;
    } else at = skip(text, at);
  }
  finish(text.length);
  return { leading, steps: steps.reverse() };
}
const compileList = (text) => splitCommas(text).map(compileComplex);

function matches(el, complex, at = 0) {
  const step = complex.steps[at];
  if (step === undefined || (step.native && !el.matches(step.native)) || !step.tests.every((test) => test(el))) return false;
  if (at + 1 >= complex.steps.length) return true;
  switch (step.combinator) {
    case '>':
      return el.parentElement !== null && matches(el.parentElement, complex, at + 1);
    case '+':
      return el.previousElementSibling !== null && matches(el.previousElementSibling, complex, at + 1);
    case '~':
      for (let other = el.previousElementSibling; other; other = other.previousElementSibling) if (matches(other, complex, at + 1)) return true;
      return false;
    default:
      for (let other = el.parentElement; other; other = other.parentElement) if (matches(other, complex, at + 1)) return true;
      return false;
  }
}

function css(root, selector) {
  if (CUSTOM.test(selector)) {
    let list = compiled.get(selector);
    if (!list) compiled.set(selector, (list = compileList(selector)));
    return below(root).filter((el) => list.some((complex) => matches(el, complex)));
  }
  // Faulty ones are told also where nothing could match.
  const found = [...root.querySelectorAll(selector)];
  const all = below(root);
  const shadows = shadowRoots(all, root);
  if (!shadows.length) return found;
  const set = new Set(found);
  for (const shadow of shadows) for (const el of shadow.querySelectorAll(selector)) set.add(el);
  return all.filter((el) => set.has(el));
}

// ---- XPath. A shadow root is no context for it: there, what begins with // is asked of its children.

function xpath(root, expression) {
  const ask = (text, context) => {
    const result = (context.ownerDocument ?? context).evaluate(text, context, null, XPathResult.ORDERED_NODE_SNAPSHOT_TYPE);
    const list = [];
    for (let at = 0; at < result.snapshotLength; at++) if (isElement(result.snapshotItem(at))) list.push(result.snapshotItem(at));
    return list;
  };
  const found = root instanceof ShadowRoot ? [] : ask(expression.startsWith('/') && root.nodeType !== Node.DOCUMENT_NODE ? `.${expression}` : expression, root);
  const inside = /^\/\/(?=[\w*])(?![\w-]*::)(.*)$/s.exec(expression);
  if (!inside) return found;
  const all = below(root);
  const shadows = root instanceof ShadowRoot ? [root, ...shadowRoots(all, root)] : shadowRoots(all, root);
  if (!shadows.length) return found;
  const set = new Set(found);
  for (const shadow of shadows) for (const child of shadow.children) for (const el of ask(`descendant-or-self::${inside[1]}`, child)) set.add(el);
  return all.filter((el) => set.has(el));
}

// ---- The selectors: parts with an engine each, joined by >>

const SHORT_ATTRIBUTES = new Set(['id', 'data-testid', 'data-test-id', 'data-test']);
const parsed = new Map();

function parse(selector) {
  const known = parsed.get(selector);
  if (known) return known;
  const parts = [];
  let from = 0;
  const take = (to) => {
    const part = selector.slice(from, to).trim();
    const equals = part.indexOf('=');
    const name = equals > 0 ? /^\*?([a-zA-Z_0-9:+-]+)$/.exec(part.slice(0, equals).trim())?.[1] : undefined;
    if (name !== undefined) parts.push({ name, body: part.slice(equals + 1), capture: part[0] === '*' });
    else if (part.length > 1 && /^(["']).*\1$/s.test(part)) parts.push({ name: 'text', body: part });
    else if (/^\(*\/\//.test(part) || part.startsWith('..')) parts.push({ name: 'xpath', body: part });
    else parts.push({ name: 'css', body: part });
  };
  for (let at = 0; at < selector.length;) {
    if (selector.startsWith('>>', at)) {
      take(at);
      from = at += 2;
    } else if (selector[at] === '"' || selector[at] === "'") {
      // An apostrophe in a text that is not quoted begins nothing.
      const before = selector.slice(from, at);
      at = /^\s*text=\s*\S/.test(before) ? at + 1 : skip(selector, at);
    } else at++;
  }
  take(selector.length);
  if (parts.some((part) => part.body === '' && part.name === 'css')) throw new Refused('provided selector is empty');
  for (const part of parts) if (!engines[part.name] && !SHORT_ATTRIBUTES.has(part.name)) throw new Refused(`unknown engine "${part.name}" in selector "${selector}"`);
  parsed.set(selector, parts);
  return parts;
}

// [name="text"i], [name=/pattern/], [name=value] and [name]: the attributes of a role or of internal:attr.
function attributesOf(body) {
  const list = [];
  for (let at = 0; at < body.length;) {
    const head = /^\s*\[\s*([\w-]+)\s*(=?)\s*/.exec(body.slice(at));
    if (!head) throw new Refused(`${body} is no list of attributes`);
    at += head[0].length;
    let value;
    if (head[2]) {
      const rest = body.slice(at);
      value = (/^"(?:\\.|[^"\\])*"[is]?/s.exec(rest) ?? /^'(?:\\.|[^'\\])*'[is]?/s.exec(rest) ?? /^\/(?:\\.|\[(?:\\.|[^\]\\])*\]|[^/\\])+\/[a-z]*/s.exec(rest) ?? /^[^\]]*/.exec(rest))[0];
      at += value.length;
      value = value.trim();
    }
    const tail = /^\s*\]\s*/.exec(body.slice(at));
    if (!tail) throw new Refused(`${body} is no list of attributes`);
    at += tail[0].length;
    list.push({ name: head[1], value });
  }
  return list;
}

function byAttribute(root, body) {
  const { name, value } = attributesOf(body)[0];
  const match = matcher(value);
  return css(root, `[${name}]`).filter((el) => match.test(el.getAttribute(name)));
}

function byRole(root, body) {
  const at = body.indexOf('[');
  const role = (at < 0 ? body : body.slice(0, at)).trim().toLowerCase();
  return volley.byRole(below(root), role, at < 0 ? [] : attributesOf(body.slice(at)), matcher);
}

// Engines that find below a root, and those that choose among what was found.
const engines = {
  css,
  xpath,
  text: (root, body) => byText(root, matcher(body.trim(), true)),
  role: byRole,
  'internal:role': byRole,
  'internal:text': (root, body) => byText(root, matcher(body)),
  'internal:label': (root, body) => {
    const match = matcher(body);
    const cache = new Map();
    return below(root).filter((el) => labelsOf(el, cache).some((label) => match.test(label)));
  },
  'internal:attr': byAttribute,
  'internal:testid': byAttribute,
  'internal:has-text': (list, body) => {
    const match = matcher(body);
    const cache = new Map();
    return list.filter((el) => match.test(textOf(el, cache)));
  },
  'internal:has-not-text': (list, body) => {
    const match = matcher(body);
    const cache = new Map();
    return list.filter((el) => !match.test(textOf(el, cache)));
  },
  visible: (list, body) => list.filter((el) => isVisible(el) === (body.trim() === 'true')),
  nth: (list, body) => {
    const n = Number(body);
    const at = n < 0 ? list.length + n : n;
    return list[at] ? [list[at]] : [];
  },
};
const CHOOSERS = new Set(['internal:has-text', 'internal:has-not-text', 'visible', 'nth']);

function step(part, list) {
  if (CHOOSERS.has(part.name)) return engines[part.name](list, part.body);
  const engine = engines[part.name] ?? ((root, body) => css(root, `[${part.name}=${JSON.stringify(body.trim().replace(/^(["'])(.*)\1$/s, '$2'))}]`));
  if (list.length === 1) return engine(list[0], part.body);
  const found = new Set();
  for (const root of list) for (const el of engine(root, part.body)) found.add(el);
  return [...found];
}

// All elements a selector gives, in the order of the page.
function queryAll(root, selector) {
  const parts = parse(selector);
  const captured = parts.findIndex((part) => part.capture);
  let list = [root];
  const to = captured < 0 ? parts.length : captured + 1;
  for (let at = 0; at < to; at++) {
    if (at === 0 && CHOOSERS.has(parts[at].name)) list = below(root);
    list = step(parts[at], list);
  }
  if (captured < 0) return list;
  return list.filter((el) => parts.slice(to).reduce((found, part) => step(part, found), [el]).length > 0);
}

// ---- What can be seen

function isVisible(el) {
  const style = styleOf(el);
  if (!style) return true;
  if (style.display === 'contents') {
    for (const node of el.childNodes) {
      if (isElement(node) ? isVisible(node) : node.nodeType === Node.TEXT_NODE && hasBox(node)) return true;
    }
    return false;
  }
  if (style.visibility !== 'visible' || el.checkVisibility?.() === false) return false;
  const box = el.getBoundingClientRect();
  return box.width > 0 && box.height > 0;
}
function hasBox(text) {
  const range = text.ownerDocument.createRange();
  range.selectNode(text);
  const box = range.getBoundingClientRect();
  return box.width > 0 && box.height > 0;
}

globalThis.volley = { shared: { isElement, normal, styleOf, parentOf, isVisible, queryAll, Refused } };
})();
