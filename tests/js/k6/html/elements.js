// Elements: every one has the common methods, some names have more; what is not there is undefined.
// console: undefined undefined function
// console: http://h:1/x?q=1#f [#f] h:1 h 1 [] [] http://h:1 /x http ?q=1
// console: u p / : /a b  #!
// console: post multipart/form-data _top true /go 2 f
// console: get application/x-www-form-urlencoded  false  0
// console: in label f | s
// console: undefined anonymous use-credentials auto none
// console: 1 3 true,false 0 3
// console: a href undefined http://www.w3.org/1999/xhtml true
// console: http://www.w3.org/2000/svg false circle
// console: 10 html 9 undefined true
// console: [object #document] [object html] [object #text] [object #comment] /rel
// console: [::1] [::1]:443 example.com:80 example.com
// console: f g f g f
// console: undefined undefined a<i>b</i> 2
// console: byid m2
// console: true true true true true true false
// console: localName name namespaceURI owner_element prefix value
// console: TypeError
import { parseHTML } from 'k6/html';

const doc = parseHTML(`<!DOCTYPE html><a id="abs" href="http://h:1/x?q=1#f" rel="a b">t</a><a id="user" href="http://u:p@h/">t</a>
<a id="rel" href="/rel">t</a><a id="odd" href="/a%20b#!">t</a>
<form id="f" action="/go" method="post" enctype="multipart/form-data" target="_top" novalidate>
<label id="lb" for="in">label</label><label>around<input id="in" name="n"></label><button id="bt"></button>
<select id="s"><optgroup disabled><option>1</option></optgroup><option selected>2</option><option>3</option></select></form>
<input id="free"><label id="l2"><b>x</b></label><img id="i1"><img id="i2" crossorigin><img id="i3" crossorigin="use-credentials">
<audio></audio><video preload="none"></video><svg><circle/></svg>`);
const at = (id) => doc.find(`#${id}`).get(0);

export default function () {
  console.log(at('l2').href, at('abs').cells, typeof at('abs').nodeName);
  const a = at('abs');
  console.log(a.href(), `[${a.hash()}]`, a.host(), a.hostname(), a.port(), `[${a.username()}]`, `[${a.password()}]`, a.origin(), a.pathname(),
    a.protocol(), a.search());
  const odd = at('odd');
  console.log(at('user').username(), at('user').password(), at('user').pathname(), odd.protocol(), odd.pathname(), odd.search(), odd.hash());
  const input = at('in');
  console.log(input.formMethod(), input.formEnctype(), input.formTarget(), input.formNoValidate(), input.formAction(),
    input.labels().length, input.form().id());
  const free = at('free');
  console.log(free.formMethod(), free.formEnctype(), free.formTarget(), free.formNoValidate(), free.formAction(), free.labels().length);
  console.log(at('lb').control().id(), at('lb').textContent(), at('lb').form().id(), at('l2').control() === undefined ? '|' : '', at('s').id());
  console.log(at('i1').crossOrigin(), at('i2').crossOrigin(), at('i3').crossOrigin(), doc.find('audio').get(0).preload(),
    doc.find('video').get(0).preload());
  const options = at('s').options();
  console.log(at('s').selectedIndex(), options.length, `${options[0].disabled()},${options[1].disabled()}`, options[0].index(), at('f').length());
  const attribute = a.getAttributeNode('href');
  console.log(attribute.owner_element.nodeName(), attribute.localName(), a.getAttributeNode('x'), attribute.namespaceURI(), a.isDefaultNamespace());
  const circle = doc.find('circle').get(0);
  console.log(circle.namespaceURI(), circle.isDefaultNamespace(), circle.nodeName());
  const root = a.ownerDocument();
  console.log(root.firstChild().nodeType(), root.firstChild().nodeName(), root.nodeType(), root.parentNode(), root.contains(a));
  console.log(`${root}`, `${root.firstChild()}`, `${a.firstChild()}`, `${parseHTML('<!--c-->').contents().get(0)}`, `${at('rel')}`);
  // A port that goes without saying is left out, for its own scheme only.
  const host = (href) => parseHTML(`<a href="${href}">`).find('a').get(0).host();
  console.log(host('http://[::1]:80/'), host('http://[::1]:443/'), host('https://example.com:80/'), host('https://example.com'));
  // Whose form: named by the control itself, by its select, by the fieldset around a legend, by the control of a label.
  const owned = parseHTML(`<form id="f"></form><form id="g"><select form="f"><option id="a"></select><select><optgroup><option id="b"></optgroup></select>
    <fieldset form="f"><legend id="c">l</legend></fieldset><fieldset><legend id="d">l</legend></fieldset><label id="e" for="i">l</label><label id="w"><input id="i" form="f"></label></form><button id="k">a<i>b</i></button>`);
  console.log(['a', 'b', 'c', 'd', 'e'].map((id) => owned.find(`#${id}`).get(0).form().id()).join(' '));
  console.log(owned.find('#w').get(0).control(), owned.find('#w').get(0).form(), owned.find('#k').get(0).value(), owned.find('#i').get(0).labels().length);
  const maps = parseHTML('<map id="m1" name="m2"></map><map name="m3" id="m2"></map><img id="byid" usemap="#m1"><img id="m2i" usemap="#m3">');
  console.log(maps.find('map').get(0).images().map((image) => image.id()).join(), maps.find('map').get(1).id());
  // What a thing has is its own.
  const has = (thing, ...names) => names.map((name) => Object.keys(thing).includes(name) && Object.hasOwn(thing, name)).join(' ');
  console.log(has(a, 'href', 'id'), has(doc, 'find', 'each', 'url'), has(doc.find('a').first(), 'attr'), has(at('free'), 'href'));
  console.log(Object.keys(attribute).sort().join(' '));
  try {
    a.nodeName.call({});
  } catch (error) {
    console.log(error.name);
  }
}
