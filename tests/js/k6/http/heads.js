// Heads that make no sense, and those that do in spite of it. Nothing of a server commands a terminal.
// console: 0 malformed MIME header: missing colon: "X \x1b[2J"
// console: 0 malformed MIME header line: "\x1b[31m: 1"
// console: 0 malformed MIME header initial line: " \x1b[31m: 1"
// console: 0 malformed MIME header line: "X: \x1b[2J"
// console: 0 malformed MIME header line: ": nameless"
// console: 0 malformed HTTP version "HTTP/1.x"
// console: 200 A Name=1 HTTP/1.1
// console: 200 OK \x1b[2J\u009bX HTTP/1.1
// console: 200 X=1 HTTP/9.9
// console: 200 X=1 HTTP/1.1
// console: 200 Connection=close HTTP/1.0
// console: 200 Connection=keep-alive HTTP/1.1
import http from 'k6/http';

const say = (text) => http.post(`${__ENV.URL}/raw`, text);

export default function () {
  for (const line of ['X \x1b[2J', '\x1b[31m: 1', ' \x1b[31m: 1', 'X: \x1b[2J', ': nameless']) {
    const r = say(`HTTP/1.1 200 OK\r\n${line}\r\n\r\n`);
    console.log(r.status, r.error);
  }
  const wrong = say('HTTP/1.x 200 OK\r\n\r\n');
  console.log(wrong.status, wrong.error);
  const show = (r) => Object.entries(r.headers).map(([name, value]) => `${name}=${value}`).join(' ');
  const spaced = say('HTTP/1.1 200 OK\r\nA Name: 1\r\n\r\n');
  console.log(spaced.status, show(spaced), spaced.proto);
  const status = say('HTTP/1.1 200 OK \x1b[2J\u009bX\r\n\r\n');
  console.log(status.status_text, status.proto);
  for (const [version, line] of [['9.9', 'X: 1'], ['1.1', 'Connection: close\r\nX: 1'], ['1.0', 'Connection: close'], ['1.1', 'Connection: keep-alive']]) {
    const r = say(`HTTP/${version} 200 OK\r\n${line}\r\n\r\n`);
    console.log(r.status, show(r), r.proto);
  }
}
