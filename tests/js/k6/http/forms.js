// A response's links are followed and its forms are sent, relative to where it came from.
// console: Title /text plain text
// console: POST /go q=0 b=1+2&m=%5Bp+q%5D&s=x&x=9
// console: GET  a=1&b=1+2&m=p%2Cq&s=x&x=1%2C2
// console: PUT /reflect  z=1
// console: /echo/here a=b POST
// console: no element found for selector 'q' in response '.../reflect'
// console: no valid href attribute value found on element 'p' in response '.../reflect'
// console: no form found for selector '#none' in response '.../reflect'
// console: undefined false 2 true
import http from 'k6/http';

const controls = `<input name="b" value="1 2"><input type="submit" name="s" value="x"><input type="submit" id="y" name="y" value="y">
<select name="m" multiple><option selected>p<option selected>q</select>`;

export default function () {
  const get = (text) => http.post(`${__ENV.URL}/reflect`, text);
  const page = http.get(`${__ENV.URL}/html`);
  console.log(page.html('h1').text(), page.html('a').attr('href'), page.clickLink().body);
  const sent = (form, args) => get(form).submitForm(args).json();
  const post = sent(`<form action="/echo/go?q=0" method="post">${controls}</form>`, { fields: { x: 9 } });
  console.log(post.method, post.path.replace('/echo', ''), post.query, post.body);
  const query = sent(`<form action="echo?gone=1">${controls}</form>`, { fields: { a: 1, x: [1, 2] } });
  console.log(query.method, query.path.replace('/echo', ''), query.query);
  const put = get('<form method="put"><input name="z" value="1"></form>').submitForm();
  console.log(put.request.method, put.url.replace(__ENV.URL, ''), '', put.body);
  const link = get('<p>x</p><a id="l" href="echo/here?a=b#c">y</a>');
  const followed = link.clickLink({ selector: '#l', params: { headers: { 'X-A': '1' } } });
  console.log(followed.json('path'), followed.json('query'), followed.json('headers.x-a') === '1' ? 'POST' : '');
  const message = (call) => {
    try { return call(); } catch (error) { return error.message; }
  };
  console.log(message(() => link.clickLink({ selector: 'q' })));
  console.log(message(() => link.clickLink({ selector: 'p' })));
  console.log(message(() => link.submitForm({ formSelector: '#none' })));
  const doc = link.html();
  console.log(doc.missing, doc === link.html(), doc.find('p, a').size(), doc.url === link.url);
}
