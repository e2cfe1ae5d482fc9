// What runs in a page beside injected.js once a selector names a role: ARIA roles, accessible names and states, as HTML-AAM
// and accname say. An expression for Runtime.evaluate.
(() => {
'use strict';
if (volley.byRole) return;
const { isElement, styleOf, parentOf, Refused } = volley.shared;

// ---- Roles

const LANDMARK_BREAKERS = 'article, aside, main, nav, section, [role=article], [role=complementary], [role=main], [role=navigation], [role=region]';
const GLOBAL_ATTRIBUTES = ['aria-atomic', 'aria-busy', 'aria-controls', 'aria-current', 'aria-describedby', 'aria-details', 'aria-dropeffect', 'aria-flowto', 'aria-grabbed', 'aria-hidden', 'aria-keyshortcuts', 'aria-label', 'aria-labelledby', 'aria-live', 'aria-owns', 'aria-relevant', 'aria-roledescription'];
const isNamed = (el) => el.hasAttribute('aria-label') || el.hasAttribute('aria-labelledby');
const closest = (el, selector) => {
  for (let at = el; at; at = parentOf(at)) if (at.matches(selector)) return at;
  return null;
};
const cellRole = (el) => {
  const table = closest(el, 'table');
  return /^(?:grid|treegrid)$/.test(table?.getAttribute('role') ?? '') ? 'gridcell' : 'cell';
};
const INPUT_ROLES = {
  button: 'button', submit: 'button', reset: 'button', image: 'button', checkbox: 'checkbox', radio: 'radio', number: 'spinbutton', range: 'slider',
  hidden: '', color: '', date: '', 'datetime-local': '', month: '', time: '', week: '', file: 'button', password: 'textbox',
};

const IMPLICIT = {
  A: (el) => (el.hasAttribute('href') ? 'link' : ''),
  AREA: (el) => (el.hasAttribute('href') ? 'link' : ''),
  ARTICLE: 'article', ASIDE: 'complementary', BLOCKQUOTE: 'blockquote', BUTTON: 'button', CAPTION: 'caption', CODE: 'code', DATALIST: 'listbox',
  DD: 'definition', DEL: 'deletion', DETAILS: 'group', DFN: 'term', DIALOG: 'dialog', DT: 'term', EM: 'emphasis', FIELDSET: 'group', FIGURE: 'figure',
  FOOTER: (el) => (el.parentElement?.closest(LANDMARK_BREAKERS) ? '' : 'contentinfo'),
  FORM: (el) => (isNamed(el) ? 'form' : ''),
  H1: 'heading', H2: 'heading', H3: 'heading', H4: 'heading', H5: 'heading', H6: 'heading',
  HEADER: (el) => (el.parentElement?.closest(LANDMARK_BREAKERS) ? '' : 'banner'),
  HR: 'separator', HTML: 'document',
  IMG: (el) => (el.getAttribute('alt') === '' && !el.getAttribute('title') && !hasGlobalAttribute(el) && !isFocusable(el) ? 'presentation' : 'img'),
  INPUT: (el) => {
    const type = el.type.toLowerCase();
    if (/^(?:email|tel|text|url|search|)$/.test(type)) {
      const list = el.getRootNode().getElementById?.(el.getAttribute('list') ?? '');
      if (list?.nodeName === 'DATALIST') return 'combobox';
      return type === 'search' ? 'searchbox' : 'textbox';
    }
    return INPUT_ROLES[type] ?? 'textbox';
  },
  INS: 'insertion', LI: 'listitem', MAIN: 'main', MARK: 'mark', MATH: 'math', MENU: 'list', METER: 'meter', NAV: 'navigation', OL: 'list', OPTGROUP: 'group',
  OPTION: 'option', OUTPUT: 'status', P: 'paragraph', PROGRESS: 'progressbar', SEARCH: 'search',
  SECTION: (el) => (isNamed(el) ? 'region' : ''),
  SELECT: (el) => (el.hasAttribute('multiple') || el.size > 1 ? 'listbox' : 'combobox'),
  STRONG: 'strong', SUB: 'subscript', SUP: 'superscript', SVG: 'img', TABLE: 'table', TBODY: 'rowgroup', TD: cellRole, TEXTAREA: 'textbox', TFOOT: 'rowgroup',
  TH: (el) => {
    const scope = el.getAttribute('scope');
    if (scope === 'col' || scope === 'colgroup') return 'columnheader';
    if (scope === 'row' || scope === 'rowgroup') return 'rowheader';
    return el.closest('thead') ? 'columnheader' : cellRole(el);
  },
  THEAD: 'rowgroup', TIME: 'time', TR: 'row', UL: 'list',
};
const ROLES = new Set(('alert alertdialog application article banner blockquote button caption cell checkbox code columnheader combobox complementary contentinfo definition deletion dialog '
  + 'directory document emphasis feed figure form generic grid gridcell group heading img insertion link list listbox listitem log main mark marquee math meter menu menubar menuitem '
  + 'menuitemcheckbox menuitemradio navigation none note option paragraph presentation progressbar radio radiogroup region row rowgroup rowheader scrollbar search searchbox separator slider '
  + 'spinbutton status strong subscript superscript switch tab table tablist tabpanel term textbox time timer toolbar tooltip tree treegrid treeitem').split(' '));
// What has no role of its own where its owner has none.
const OWNED = {
  LI: 'ul, ol, menu', DD: 'dl', DT: 'dl', TBODY: 'table', THEAD: 'table', TFOOT: 'table', TR: 'table', TD: 'table', TH: 'table',
};

const hasGlobalAttribute = (el) => GLOBAL_ATTRIBUTES.some((name) => el.hasAttribute(name));
const isFocusable = (el) => !el.matches(':disabled') && (el.matches('button, select, textarea, details, a[href], area[href], input:not([type=hidden])') || (el.hasAttribute('tabindex') && !Number.isNaN(Number(el.getAttribute('tabindex')))));
const explicitRole = (el) => (el.getAttribute('role') ?? '').split(/\s+/).find((role) => ROLES.has(role)) ?? '';

function implicitRole(el) {
  const given = IMPLICIT[el.nodeName.toUpperCase()];
  const role = (typeof given === 'function' ? given(el) : given) ?? '';
  const owners = OWNED[el.nodeName];
  if (role && owners) {
    const owner = el.parentElement?.closest(owners);
    if (owner && /^(?:none|presentation)$/.test(explicitRole(owner)) && !hasGlobalAttribute(owner) && !isFocusable(owner)) return '';
  }
  return role;
}
function roleOf(el) {
  const role = explicitRole(el);
  if (!role) return implicitRole(el);
  if (role !== 'none' && role !== 'presentation') return role;
  return hasGlobalAttribute(el) || isFocusable(el) ? implicitRole(el) : role;
}

// ---- What is hidden from those who listen

const UNSEEN = /^(?:STYLE|SCRIPT|NOSCRIPT|TEMPLATE)$/;
function isHidden(el, cache) {
  const known = cache.get(el);
  if (known !== undefined) return known;
  const hidden = UNSEEN.test(el.nodeName) || isInvisible(el) || isUnlisted(el, cache);
  cache.set(el, hidden);
  return hidden;
}
function isInvisible(el) {
  const style = styleOf(el);
  if (!style) return false;
  if (style.display === 'contents' && el.nodeName !== 'SLOT') return false;
  return !(el.nodeName === 'OPTION' && el.closest('select')) && (style.visibility !== 'visible' || el.checkVisibility?.() === false);
}
// Whether it, or what it is in, is taken out: by aria-hidden or display, or because it is in no slot.
function isUnlisted(el, cache) {
  if (el.parentElement?.shadowRoot && !el.assignedSlot) return true;
  if (el.getAttribute('aria-hidden')?.toLowerCase() === 'true' || styleOf(el)?.display === 'none') return true;
  const parent = parentOf(el);
  if (!parent) return false;
  const key = `unlisted`;
  const lists = (cache[key] ??= new Map());
  let known = lists.get(parent);
  if (known === undefined) lists.set(parent, (known = isUnlisted(parent, cache)));
  return known;
}

// ---- Names

const FROM_CONTENT = new Set(['button', 'cell', 'checkbox', 'columnheader', 'gridcell', 'heading', 'link', 'menuitem', 'menuitemcheckbox', 'menuitemradio', 'option', 'radio', 'row', 'rowheader', 'switch', 'tab', 'tooltip', 'treeitem']);
const FROM_CONTENT_BELOW = new Set(['', 'caption', 'code', 'contentinfo', 'definition', 'deletion', 'emphasis', 'insertion', 'list', 'listitem', 'mark', 'none', 'paragraph', 'presentation', 'region', 'row', 'rowgroup', 'section', 'strong', 'subscript', 'superscript', 'table', 'term', 'time', 'generic']);
const PROHIBITED = new Set(['caption', 'code', 'definition', 'deletion', 'emphasis', 'generic', 'insertion', 'mark', 'none', 'paragraph', 'presentation', 'strong', 'subscript', 'suggestion', 'superscript', 'term', 'time']);

const flat = (text) => text.replace(/[\u200b\u00ad]/g, '').replace(/[\r\n]/g, '\n').replace(/\u00a0/g, ' ').replace(/\s\s*/g, ' ').trim();
function named(el, attribute) {
  const ids = el.getAttribute(attribute);
  if (!ids) return [];
  const root = el.getRootNode();
  const list = [];
  for (const id of ids.split(/\s+/)) {
    const found = id && root.getElementById?.(id);
    if (found && !list.includes(found)) list.push(found);
  }
  return list;
}
function pseudoText(el, which) {
  const style = el.ownerDocument.defaultView?.getComputedStyle(el, which);
  const content = style?.content;
  if (!content || content === 'none' || content === 'normal' || style.display === 'none' || style.visibility === 'hidden') return '';
  const parts = content.match(/"(?:\\.|[^"\\])*"/g);
  if (!parts) return '';
  const text = parts.map((part) => part.slice(1, -1).replace(/\\(.)/gs, '$1')).join('');
  return style.display === 'inline' ? text : ` ${text} `;
}

function nameOf(el, cache) {
  if (PROHIBITED.has(roleOf(el))) return '';
  return flat(textAlternative(el, { cache, visited: new Set(), how: 'target' }));
}

// The text that stands for an element: `how` is whose name is sought: the element's itself (target), or it is part of the
// name of another (content, label, labelledby, descendant).
function textAlternative(el, context) {
  const { cache, visited, how } = context;
  if (visited.has(el)) return '';
  const part = how === 'target' ? 'descendant' : how;
  if (how === 'descendant' && isHidden(el, cache)) {
    visited.add(el);
    return '';
  }
  if ((how === 'label' || how === 'labelledby') && !context.hiddenToo && isHidden(el, cache)) {
    visited.add(el);
    return '';
  }
  if (how !== 'labelledby') {
    const labels = named(el, 'aria-labelledby');
    const text = labels.map((label) => textAlternative(label, { cache, visited: new Set(visited).add(el).add(null), how: 'labelledby', hiddenToo: isHidden(label, cache) })).join(' ');
    if (text.trim()) return text;
  }
  const role = roleOf(el);
  // A control inside of what names something else stands for its value.
  if (how !== 'target') {
    const value = embeddedValue(el, role, context);
    if (value !== undefined) {
      visited.add(el);
      return value;
    }
  }
  const label = el.getAttribute('aria-label') ?? '';
  if (label.trim() && !(how !== 'target' && /^(?:none|presentation)$/.test(role))) {
    visited.add(el);
    return label;
  }
  if (!/^(?:none|presentation)$/.test(role)) {
    const text = nativeName(el, context);
    if (text !== undefined) {
      visited.add(el);
      return text;
    }
  }
  const fromContent = FROM_CONTENT.has(role) || (how !== 'target' && FROM_CONTENT_BELOW.has(role)) || how === 'label' || how === 'labelledby' || el.nodeName === 'SUMMARY';
  if (fromContent) {
    visited.add(el);
    const text = contentOf(el, { ...context, how: part === 'label' || part === 'labelledby' ? 'content' : part });
    if (how === 'target' ? text.trim() : text) return text;
  }
  visited.add(el);
  if (!/^(?:none|presentation)$/.test(role) || el.nodeName === 'IFRAME') {
    const title = el.getAttribute('title') ?? '';
    if (title.trim()) return title;
  }
  return '';
}

function embeddedValue(el, role, context) {
  if (context.how === 'labelledby' && !isField(el)) return undefined;
  if (role === 'textbox' || role === 'searchbox') return el.matches('input, textarea') ? el.value : el.textContent ?? '';
  if (role === 'combobox' || role === 'listbox') {
    if (el.nodeName === 'SELECT') {
      const options = [...el.selectedOptions];
      if (!options.length && el.options.length) options.push(el.options[0]);
      return options.map((option) => textAlternative(option, { ...context, visited: new Set(context.visited), how: 'content' })).join(' ');
    }
    if (el.nodeName === 'INPUT') return el.value;
    const owner = role === 'combobox' ? [...el.querySelectorAll('[role=listbox]')][0] ?? el : el;
    const options = [...owner.querySelectorAll('[aria-selected=true]')].filter((option) => roleOf(option) === 'option');
    return options.map((option) => textAlternative(option, { ...context, visited: new Set(context.visited), how: 'content' })).join(' ');
  }
  if (/^(?:progressbar|scrollbar|slider|spinbutton|meter)$/.test(role)) {
    if (el.hasAttribute('aria-valuetext')) return el.getAttribute('aria-valuetext');
    if (el.hasAttribute('aria-valuenow')) return el.getAttribute('aria-valuenow');
    return el.getAttribute('value') ?? '';
  }
  if (role === 'menu') return '';
  return undefined;
}
const isField = (el) => el.matches('input:not([type=button], [type=submit], [type=reset], [type=image]), textarea, select');

const labelTexts = (el, context) => [...(el.labels ?? [])]
  .map((label) => textAlternative(label, { ...context, visited: new Set(context.visited).add(el), how: 'label', hiddenToo: false })).filter((text) => text.trim()).join(' ');

// What HTML itself names an element by; undefined if it does not.
function nativeName(el, context) {
  const title = () => el.getAttribute('title') ?? '';
  const childText = (name) => {
    for (const child of el.children) if (child.nodeName.toUpperCase() === name) return textAlternative(child, { ...context, visited: new Set(context.visited).add(el), how: 'label', hiddenToo: true });
    return undefined;
  };
  switch (el.nodeName.toUpperCase()) {
    case 'INPUT': {
      const type = el.type;
      if (type === 'button' || type === 'submit' || type === 'reset') {
        if (el.value.trim()) return el.value;
        return type === 'submit' ? 'Submit' : type === 'reset' ? 'Reset' : title();
      }
      const labels = labelTexts(el, context);
      if (type === 'file') return labels || 'Choose File';
      if (type === 'image') return labels || (el.getAttribute('alt') ?? '').trim() || title().trim() || 'Submit';
      if (labels) return labels;
      const placeholder = /^(?:text|password|search|tel|email|url|number)$/.test(type) ? el.getAttribute('placeholder') ?? '' : '';
      return title().trim() ? title() : placeholder;
    }
    case 'TEXTAREA':
    case 'SELECT': {
      const labels = labelTexts(el, context);
      if (labels) return labels;
      return title().trim() ? title() : el.nodeName === 'TEXTAREA' ? el.getAttribute('placeholder') ?? '' : '';
    }
    case 'BUTTON':
    case 'OUTPUT':
    case 'METER':
    case 'PROGRESS': {
      const labels = labelTexts(el, context);
      if (labels) return labels;
      return el.nodeName === 'BUTTON' ? undefined : title();
    }
    case 'FIELDSET':
      return childText('LEGEND') ?? title();
    case 'FIGURE':
      return childText('FIGCAPTION') ?? title();
    case 'IMG':
    case 'AREA': {
      const alt = el.getAttribute('alt') ?? '';
      return alt.trim() ? alt : title();
    }
    case 'TABLE':
      return childText('CAPTION') ?? (el.getAttribute('summary') || undefined);
    case 'SVG': {
      const text = childText('TITLE');
      return text?.trim() ? text : undefined;
    }
    case 'A':
      if (el.ownerSVGElement) {
        const text = childText('TITLE') ?? el.getAttribute('xlink:title') ?? '';
        if (text.trim()) return text;
      }
      return undefined;
    default:
      return undefined;
  }
}

function contentOf(el, context) {
  let text = pseudoText(el, '::before');
  const visit = (node, slotted) => {
    if (!slotted && node.assignedSlot) return;
    if (isElement(node)) {
      const display = styleOf(node)?.display ?? 'inline';
      const own = textAlternative(node, { ...context, how: context.how === 'target' ? 'descendant' : context.how === 'content' ? 'descendant' : context.how });
      text += display !== 'inline' && display !== 'contents' && display !== 'none' || node.nodeName === 'BR' ? ` ${own} ` : own;
    } else if (node.nodeType === Node.TEXT_NODE) text += node.nodeValue;
  };
  const slotted = el.nodeName === 'SLOT' ? el.assignedNodes() : [];
  if (slotted.length) slotted.forEach((node) => visit(node, true));
  else {
    el.childNodes.forEach((node) => visit(node, false));
    el.shadowRoot?.childNodes.forEach((node) => visit(node, false));
    for (const owned of named(el, 'aria-owns')) visit(owned, true);
  }
  return text + pseudoText(el, '::after');
}

// ---- States

const flag = (el, name) => el.getAttribute(name)?.toLowerCase();
function checkedOf(el, role) {
  if (el.nodeName === 'INPUT' && /^(?:checkbox|radio)$/.test(el.type)) return el.indeterminate ? 'mixed' : el.checked;
  const value = flag(el, 'aria-checked');
  return value === 'mixed' && role !== 'radio' && role !== 'menuitemradio' && role !== 'switch' ? 'mixed' : value === 'true';
}
function pressedOf(el) {
  const value = flag(el, 'aria-pressed');
  return value === 'mixed' ? 'mixed' : value === 'true';
}
function expandedOf(el) {
  if (el.nodeName === 'DETAILS') return el.open;
  const value = flag(el, 'aria-expanded');
  return value === undefined ? undefined : value === 'true';
}
const selectedOf = (el) => (el.nodeName === 'OPTION' ? el.selected : flag(el, 'aria-selected') === 'true');
function levelOf(el) {
  const native = /^H([1-6])$/.exec(el.nodeName);
  if (native && !el.hasAttribute('aria-level')) return Number(native[1]);
  return Number(el.getAttribute('aria-level') ?? 0);
}
function disabledOf(el) {
  if (el.matches(':disabled')) return true;
  for (let at = el; at; at = parentOf(at)) {
    const value = flag(at, 'aria-disabled');
    if (value === 'true') return true;
    if (value === 'false') return false;
  }
  return false;
}
const STATE_ROLES = {
  checked: 'checkbox menuitemcheckbox menuitemradio option radio switch treeitem',
  pressed: 'button',
  selected: 'cell columnheader gridcell option row rowheader tab treeitem',
  expanded: 'application button checkbox combobox gridcell group link listbox menuitem row rowheader tab treeitem columnheader menuitemcheckbox menuitemradio switch',
  level: 'heading listitem row treeitem',
};
const STATE_OF = { checked: checkedOf, pressed: pressedOf, selected: selectedOf, expanded: expandedOf, level: levelOf, disabled: disabledOf };

volley.roleOf = roleOf;
volley.nameOf = (el) => nameOf(el, new Map());
volley.byRole = (elements, role, attributes, matcher) => {
  let match;
  let hiddenToo = false;
  const states = [];
  for (const { name, value } of attributes) {
    if (name === 'name') match = matcher(value);
    else if (name === 'include-hidden') hiddenToo = value === undefined || value === 'true';
    else if (!STATE_OF[name]) throw new Refused(`unknown attribute "${name}" of a role`);
    else states.push([name, value === undefined ? true : name === 'level' ? Number(value) : value === 'mixed' ? 'mixed' : value === 'true']);
  }
  const cache = new Map();
  return elements.filter((el) => {
    if (roleOf(el) !== role) return false;
    for (const [name, wanted] of states) {
      if (STATE_ROLES[name] && !STATE_ROLES[name].split(' ').includes(role)) return false;
      if (STATE_OF[name](el, role) !== wanted) return false;
    }
    if (!hiddenToo && isHidden(el, cache)) return false;
    return match === undefined || match.test(nameOf(el, cache));
  });
};
})();
