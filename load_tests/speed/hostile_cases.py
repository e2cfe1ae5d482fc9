"""What hostile.py tries: one odd answer each, with what the script does about it."""

import struct
import zlib
from dataclasses import dataclass
from typing import Callable

from hostile_peer import (
    CONTINUATION, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, MAX_FRAME, PING, PRIORITY, PUSH, RST, SETTINGS, WINDOW,
    Answer, field, frame, grpc_message, header_frames, hpack, hpack_number, http1, read_head, serve_frames, serve_grpc,
    serve_http1, serve_http2, serve_raw, serve_reflection, serve_ws, drip, varint, ws_frame,
)

MB = 1 << 20
WEB = ("http", "https", "h2")
OLD = ("http", "https")


@dataclass
class Case:
    protocols: tuple
    # What one call does; `get`, `connect` and `client` are defined in hostile.py.
    script: str
    # (protocol, folder) -> what talks to a connection.
    peer: Callable
    # Peak memory in MB; more than 200 only where the script itself asks to keep more, which `why` tells.
    memory: int = 200
    why: str = ""
    init: str = ""
    # (folder) -> writes the files the script reads; the folder is `FOLDER` in scripts.
    files: Callable = None
    is_below_tls: bool = False
    chain: str = ""


CASES = {}


def case(name, protocols, script, peer, **rest):
    CASES[name] = Case(protocols, script, peer, **rest)


def web(name, script, make, protocols=WEB, **rest):
    """The same answer over HTTP/1.1 and HTTP/2."""

    def peer(protocol, _folder):
        answer = make()
        return serve_http2(answer) if protocol == "h2" else serve_http1(answer)

    case(name, protocols, script, peer, **rest)


def raw(name, script, begin, endless=None, pause=0.0, **rest):
    """Bytes over HTTP/1.1."""
    case(name, OLD, script, lambda *_: serve_raw(begin() if callable(begin) else begin, endless, pause), **rest)


OK = b"HTTP/1.1 200 OK\r\n"
GET = "get();"

# ---------------------------------------------------------------- heads

web("100,000 headers", "say(Object.keys(get().headers).length);", lambda: Answer([(f"X-{n:05}", "v") for n in range(100_000)], b"ok"))
web("100,000 of one header", "say(get().headers.X.length);", lambda: Answer([("X", "v")] * 100_000, b"ok"))
web("20,000 cookies", "say(Object.keys(get().cookies).length); http.cookieJar().cookiesForURL(URL);", lambda: Answer([("Set-Cookie", f"c{n}=v; Path=/") for n in range(20_000)], b"ok"))
web(
    "odd cookies", "say(Object.keys(get().cookies).length);",
    lambda: Answer(
        [("Set-Cookie", value) for value in (
            "a=" + "x" * MB, "b" * MB + "=1", "c=1" + "; Path=/x" * 50_000, "d=1; Expires=" + "9" * MB, "e=1; Domain=" + "a." * 100_000,
            "=", ";" * MB, "f=1; Max-Age=" + "9" * 100_000, "g=\x01\x02", "h=1; " + "=" * MB,
        )],
        b"ok",
    ),
    protocols=OLD,
)
raw("status line of 9 MB", GET, lambda: OK.replace(b"OK", b"O" * (9 * MB)) + b"Content-Length: 2\r\n\r\nok")
raw("head without an end", GET, OK, b"X-Filler: more and more\r\n" * 4000)
raw("header line without an end", GET, OK + b"X-Filler: ", b"x" * 65536)
raw("status line without an end", GET, b"HTTP/1.1 200 ", b"x" * 65536)
raw("interim answers without an end", GET, None, b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" * 1000)
case("head, a byte a second", OLD, GET, lambda *_: lambda sock: (read_head(sock, bytearray()), drip(sock, OK * 100)))

# ---------------------------------------------------------------- bodies

raw("body, a byte a second", GET, OK + b"Content-Length: 100000\r\n\r\n", b"x", 1.0)
web("body without an end", "get({ timeout: '1s' });", lambda: Answer(endless=b"x" * MB))
raw("chunks without an end", "get({ timeout: '1s' });", OK + b"Transfer-Encoding: chunked\r\n\r\n", (b"10000\r\n" + b"x" * 65536 + b"\r\n") * 16)
raw("more announced than comes", "get({ timeout: '1s' });", OK + b"Content-Length: 9000000000000000000\r\n\r\n", b"x" * MB)
web("dropped body without an end", "get({ timeout: '1s', responseType: 'none' });", lambda: Answer(endless=b"x" * MB))
raw("chunks of one byte", "get({ timeout: '1s' });", OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n" * 10_000)
raw("chunk extensions", "get({ timeout: '1s' });", OK + b"Transfer-Encoding: chunked\r\n\r\n", (b"1;" + b"e" * 4000 + b"\r\nx\r\n") * 16)
raw("chunk line without an end", GET, OK + b"Transfer-Encoding: chunked\r\n\r\n1;", b"e" * 65536)
raw("chunk sizes that are none", GET, OK + b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nx\r\n")
raw("trailers without an end", GET, OK + b"Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n", b"X-Filler: more\r\n" * 4000)
web(
    "redirects to itself with 50 MB", "say(get().status);",
    lambda: Answer([("Location", "/again")], b"x" * (50 * MB), status=302),
)

# ---------------------------------------------------------------- bombs


def deflated(head, window):
    """4 GiB of nothing in 4 MB; the checksum at the end does not matter, nobody should get there."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -window)
    first = packer.compress(b"\0" * MB) + packer.flush(zlib.Z_FULL_FLUSH)
    return head + first * 4096 + b"\x03\0" + b"\0" * 8


def zstandard():
    """4 GiB: blocks of 128 KB that are one byte, again and again."""
    block = struct.pack("<I", (131072 << 3) | 2)[:3] + b"\0"
    return b"\x28\xb5\x2f\xfd\x00\x58" + block * 32768


class Bits:
    def __init__(self):
        self.value, self.count, self.out = 0, 0, bytearray()

    def put(self, value, count):
        self.value |= value << self.count
        self.count += count
        while self.count >= 8:
            self.out.append(self.value & 255)
            self.value >>= 8
            self.count -= 8


def brotli(blocks=256):
    """Blocks of 16 MB: four literals, and a copy of them over and over (RFC 7932, section 9)."""
    bits, length = Bits(), 1 << 24
    bits.put(0, 1)  # a window of 64 KB
    for _ in range(blocks):
        bits.put(0, 1)  # not the last
        bits.put(2, 2)  # six nibbles of length
        bits.put(length - 1, 24)
        bits.put(0, 1)  # compressed
        bits.put(0, 3)  # one type of block each
        bits.put(0, 6)  # no postfix, no direct distances
        bits.put(0, 2)  # context mode
        bits.put(0, 2)  # one tree each
        for symbol, width in ((0, 8), (384 + (4 << 3 | 7), 10), (0, 6)):
            bits.put(1, 2)  # a simple code
            bits.put(0, 2)  # of one symbol
            bits.put(symbol, width)
        bits.put(length - 4 - 2118, 24)  # how much is copied
    bits.put(3, 2)
    bits.put(0, 8)
    return bytes(bits.out)


def layers():
    """A bomb in bombs: what unpacks to gigabytes is a few hundred bytes."""
    body = deflated(b"\x1f\x8b\x08\0\0\0\0\0\0\x03", 15)
    for _ in range(3):
        body = zlib.compress(body, 9)
    return body


BOMBS = {
    "gzip": lambda: deflated(b"\x1f\x8b\x08\0\0\0\0\0\0\x03", 15),
    "deflate": lambda: deflated(b"\x78\x9c", 15),
    "br": brotli,
    "zstd": zstandard,
    "gzip, deflate, deflate, deflate": layers,
}
for coding, make in BOMBS.items():
    web(
        f"4 GiB in {coding.split(',')[0] if ',' not in coding else 'four layers'}", "say((get().body || '').length);",
        lambda coding=coding, make=make: Answer([("Content-Encoding", coding)], make()),
        protocols=WEB if coding in ("gzip", "br") else ("http",),
    )

# ---------------------------------------------------------------- documents

LONG = "{ timeout: '30s' }"
KEPT = "the document is kept as objects, because the script asks for that"


def records():
    one = b'{"id":%d,"name":"n\\u00e4me","tags":["a","b",{"deep":[1.5,-2e3,null,true]}],"text":"%s"},'
    return b"[" + b"".join(one % (n, b"x" * 950) for n in range(50_000)) + b"0]"


JSON = f"const r = get({LONG}); try {{ say(r.json().length); }} catch (error) {{ say(String(error).slice(0, 80)); }}"
JSONS = {
    "50 MB": records,
    "50 MB of brackets": lambda: b"[" * (25 * MB) + b"]" * (25 * MB),
    "20 MB of short elements": lambda: b"[" + b"1," * (10 * MB) + b"1]",
    "20 MB, a million keys": lambda: b"{" + b",".join(b'"key%07d":%d' % (n, n) for n in range(1_000_000)) + b"}",
    "50 MB, one number": lambda: b"[" + b"9" * (50 * MB) + b"]",
    "50 MB, one string of escapes": lambda: b'"' + b"\\u00e4" * (8 * MB) + b'"',
    "50 MB, wrong at the end": lambda: records()[:-1] + b"!",
}
for name, make in JSONS.items():
    keeps = name.startswith(("50 MB of", "20 MB"))
    web(
        f"JSON: {name}", JSON, lambda make=make: Answer([("Content-Type", "application/json")], make()),
        protocols=WEB if name == "50 MB" else ("http",), memory=2000 if keeps else 200 if "one" in name else 600, why=KEPT,
    )

PATHS = [
    "#.name", "#(id==49999).name", "#(id>5)#.tags.2.deep|#", "..#.x", "@reverse|0.id", "@flatten|#", "@pretty|@ugly|#", "#.tags.#.deep.#",
    "@this|@this|@values|#", "#(tags.#(deep.#(==true)))#|#", "@dig:deep|#", "[@this,@this]|[@this,@this]|[@this,@this]|[@this,@this]|#",
    "#.t*e*x*t*", "*", "#(text%\"*x*x*x*x*y\")#|#", "@tostr|@fromstr|#", "{@this,\"a\":@this}.a.#", "@join|id", "@keys|#", "@group",
]
web(
    "paths into 50 MB of JSON", f"const r = get({LONG}); for (const path of {PATHS!r}) say(path, String(r.json(path)).length);",
    lambda: Answer(body=records()), protocols=("http",), memory=1500, why=KEPT,
)
web(
    "paths into nested JSON", f"const r = get({LONG}); for (const path of ['@dig:a', '*.*.*.*', 'a.a.a.a.*', '@pretty', '@flatten:{{\"deep\":true}}', '@dig:@dig:a', 'a*.a*.a*.b', '@dig:[@this,@this]']) say(path, String(r.json(path)).length);",
    lambda: Answer(body=b'{"a":' * 200_000 + b"1" + b"}" * 200_000), protocols=("http",),
)

HTML = f"const r = get({LONG}); try {{ say(r.html().find('p').size()); }} catch (error) {{ say(String(error).slice(0, 80)); }}"
PAGES = {
    "50 MB": lambda: (b"<p class=c>" + b"x" * 990) * 50_000,
    "nested": lambda: b"<div>" * 2_000_000,
    "formatting without an end": lambda: b"<p><b><i><a href=x><font>" * 400_000,
    "misplaced in a table": lambda: b"<table><tr><b>x<td><table><p>" * 200_000,
    "attributes": lambda: b"<p " + b" ".join(b"a%d=1" % n for n in range(1_000_000)) + b">",
    "attributes of the body": lambda: b"".join(b"<body a%d=1>" % n for n in range(200_000)),
    "comment without an end": lambda: b"<!--" + b"-" * (20 * MB),
    "references": lambda: b"&notin" * (4 * MB),
    "select": lambda: b"<select><option><optgroup>" * 500_000,
    "text, foster parented": lambda: b"<table>" + b"x<tr>" * 1_000_000,
    "null characters": lambda: b"<svg><![CDATA[\0" * 500_000,
    "scripts": lambda: b"<script><!--<script>" * 500_000,
    "misnested anchors": lambda: b"<a><b><p></a></b>" * 300_000,
}
for name, make in PAGES.items():
    web(
        f"HTML: {name}", HTML, lambda make=make: Answer([("Content-Type", "text/html")], make()),
        protocols=WEB if name == "50 MB" else ("http",), memory=400, why=KEPT,
    )
SELECTORS = [
    "p:contains('y')", "p ~ p ~ p ~ p", "p:not(:has(b)) + p", "div div div div p", ":nth-child(2n+1):nth-last-child(3n)",
    "p:has(~ p:has(~ p))", "p:nth-of-type(7)", "*:not(*)", "[class*=c][class$=c]", "p.none ~ p", "body > p:last-child",
]
web(
    "selectors on 20,000 siblings", f"const r = get({LONG}); const all = r.html(); for (const s of {SELECTORS!r}) {{ try {{ say(s, all.find(s).size()); }} catch (error) {{ say(s, String(error).slice(0, 80)); }} }} say(all.find('p').text().length, all.find('p').nextAll().size(), all.find('p').parents().size(), all.find('p').siblings().size());",
    lambda: Answer(body=b"<p class=c>x" * 20_000), protocols=("http",),
)
EXPRESSIONS = [
    "/^(a+)+$/", "/(a|aa)+$/", "/^(a|a)*b/", "/(.*)*x/", "/^(([a-z])+.)+[A-Z]([a-z])+$/", "/(a*)*\\\\1b/", "/^(?=(a+)+b)/", "/\\\\s+$/", "/(x+x+)+y/i", "/a{1,1000}a{1,1000}b/",
]
web(
    "regular expressions", f"const text = get().body; for (const at of {EXPRESSIONS!r}) {{ const made = eval(at); say(at, made.test(text.slice(0, 40)), made.test(text)); }} say(text.replace(/(a+)+!/g, '').length, text.split(/(a+)+x/).length);",
    lambda: Answer(body=b"a" * 100_000 + b"!" + b" " * 10_000 + b"!"), protocols=("http",),
)
web(
    "a certificate for x509", f"import_x509(get({LONG}).body);",
    lambda: Answer(body=b"-----BEGIN CERTIFICATE-----\n" + b"MIID" * (5 * MB) + b"\n-----END CERTIFICATE-----\n"), protocols=("http",),
    init="import x509 from 'k6/crypto/x509'; const import_x509 = (pem) => { for (const call of [x509.parse, x509.getSubject, x509.getAltNames]) try { say(call(pem)); } catch (error) { say(String(error).slice(0, 60)); } };",
)

# ---------------------------------------------------------------- HTTP/2


def frames(name, make, once=None, script=GET, protocols=("h2", "grpc"), **rest):
    """The same frames for HTTP/2 and for gRPC."""
    settings, pause = rest.pop("settings", b""), rest.pop("pause", 0.0)
    case(name, protocols, script, lambda *_: serve_frames(make() if make else None, once, settings, pause), **rest)


def always(blob):
    return lambda: lambda _stream: blob


OKAY = hpack([(":status", "200"), ("content-type", "application/grpc")])


def header_bomb():
    """One header of 4 KB that is remembered, and then named a million times."""
    block = b"\x88" + b"\x40\x01x" + hpack_number(4000, 7) + b"v" * 4000 + b"\xbe" * 1_000_000
    return lambda stream: header_frames(stream, block, 0)


frames("headers named a million times", None, header_bomb())
frames(
    "continuations without an end", lambda: lambda stream: frame(CONTINUATION, 0, stream, hpack([("x", "v" * 100)]) * 20) * 50,
    lambda stream: frame(HEADERS, 0, stream, b"\x88"),
)
frames("empty continuations", lambda: lambda stream: frame(CONTINUATION, 0, stream) * 5000, lambda stream: frame(HEADERS, 0, stream, b"\x88"))
frames("resets without an end", lambda: lambda stream: frame(RST, 0, stream, b"\0\0\0\x08") * 5000)
frames("settings without an end", always(frame(SETTINGS, payload=b"\0\x03\0\0\0\x64") * 5000))
frames("pings without an end", always(frame(PING, payload=b"12345678") * 5000))
frames("priorities without an end", lambda: lambda stream: frame(PRIORITY, 0, stream, b"\0\0\0\0\x10") * 5000)
frames("unknown frames without an end", always(frame(0x77, payload=b"x" * 1000) * 500))
frames("windows that overflow", lambda: lambda stream: frame(WINDOW, 0, stream, b"\x7f\xff\xff\xff") * 5000)
frames("empty data without an end", lambda: lambda stream: frame(DATA, 0, stream) * 5000, lambda stream: header_frames(stream, OKAY))
frames("padding without an end", lambda: lambda stream: frame(DATA, 8, stream, b"\xff" + b"\0" * 255) * 1000, lambda stream: header_frames(stream, OKAY), script="get({ timeout: '1s' });")
frames("interim heads without an end", lambda: lambda stream: header_frames(stream, hpack([(":status", "103")])) * 2000)
frames("pushes that nobody wanted", lambda: lambda stream: frame(PUSH, END_HEADERS, stream, b"\0\0\0\x02\x88") * 1000)
frames("no window", None, lambda stream: b"", settings=b"\0\x04\0\0\0\0", script="post();")
frames("goaway each time", None, lambda stream: frame(GOAWAY, payload=b"\0\0\0\0\0\0\0\x0b"))
frames("goaway, kindly, each time", None, lambda stream: frame(GOAWAY, payload=b"\0\0\0\0\0\0\0\0"))
frames("refused streams", None, lambda stream: frame(RST, 0, stream, b"\0\0\0\x07"))
frames("frames that lie about their length", None, lambda stream: b"\xff\xff\xff\0\0" + struct.pack(">I", stream))
frames("head, a frame of nothing a second", lambda: lambda stream: frame(PING, payload=b"12345678"), pause=1.0)

# ---------------------------------------------------------------- WebSocket

TALK = "connect();"
WS = ("ws", "wss")


def ws(name, make, script=TALK, protocols=("ws",), **rest):
    case(name, protocols, script, lambda *_: serve_ws(**make()), **rest)


def ws_bomb():
    packed = deflated(b"", 15)[:-10]
    return {"begin": ws_frame(1, packed, rsv1=True), "deflate": True}


ws("4 GiB in a message", ws_bomb, protocols=WS, script="connect({ compression: 'deflate' });")
ws("message of 64 MB", lambda: {"begin": ws_frame(2, b"x" * (64 * MB))}, protocols=WS, memory=450, why="the script gets the message as a value")
ws("message without an end", lambda: {"begin": ws_frame(2, length=1 << 40), "endless": b"x" * MB})
ws("message longer than possible", lambda: {"begin": ws_frame(2, length=1 << 63), "endless": b"x" * MB})
ws("fragments without an end", lambda: {"begin": ws_frame(1, b"x", fin=False), "endless": ws_frame(0, b"x", fin=False) * 10_000})
ws("empty fragments without an end", lambda: {"begin": ws_frame(1, b"x", fin=False), "endless": ws_frame(0, fin=False) * 10_000})
ws("WebSocket pings without an end", lambda: {"begin": b"", "endless": ws_frame(9, b"p" * 125) * 1000}, protocols=WS)
ws("messages without an end", lambda: {"begin": b"", "endless": ws_frame(1, b"m" * 10) * 5000}, protocols=WS)
ws("text that is no UTF-8", lambda: {"begin": ws_frame(1, b"\xff\xfe" * 100_000) * 20})
ws("masked frames", lambda: {"begin": ws_frame(1, b"x" * 100, mask=b"abcd"), "endless": ws_frame(1, b"x", mask=b"abcd") * 1000})
ws("reserved bits and codes", lambda: {"begin": b"\xff\x01x", "endless": b"\xbf\x01x" * 1000})
ws("close with garbage", lambda: {"begin": ws_frame(8, b"\x00\x01\xff\xff") + ws_frame(8, b"x")})
ws("long close", lambda: {"begin": ws_frame(8, b"\x03\xe8" + b"x" * 60_000), "endless": b"x" * 1000})
ws("JSON of 50 MB in a message", lambda: {"begin": ws_frame(1, records())}, script="connect({}, (text) => say(JSON.parse(text).length));", memory=700, why=KEPT)
ws("packed rubbish", lambda: {"begin": ws_frame(1, b"\xff" * MB, rsv1=True), "deflate": True}, script="connect({ compression: 'deflate' });")


def handshake(name, peer):
    case(name, WS, TALK, lambda *_: peer)


SWITCH = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
handshake("handshake, a byte a second", lambda sock: (read_head(sock, bytearray()), drip(sock, SWITCH)))
handshake("handshake without an end", serve_raw(SWITCH, b"X-Filler: more and more\r\n" * 4000))
handshake("handshake with 100,000 headers", serve_raw(SWITCH + b"".join(b"X-%d: v\r\n" % n for n in range(100_000)) + b"\r\n"))
handshake("handshake refused with a body without an end", serve_raw(b"HTTP/1.1 403 No\r\n\r\n", b"x" * MB))

# ---------------------------------------------------------------- gRPC

INVOKE = "invoke();"


def grpc(name, make, script=INVOKE, **rest):
    case(name, ("grpc",), script, lambda *_: serve_grpc(**make()), **rest)


def grpc_bomb():
    packed = deflated(b"\x1f\x8b\x08\0\0\0\0\0\0\x03", 15)
    return {"body": grpc_message(packed[: 4 * MB - 1], packed=True), "head": [("grpc-encoding", "gzip")]}


def nested(levels):
    """A message that holds itself so many times."""
    inner = b""
    for _ in range(levels):
        inner = field(1, inner)
    return inner


grpc("4 GiB in a gRPC message", grpc_bomb)
grpc("gRPC message of 64 MB", lambda: {"body": grpc_message(b"x" * (64 * MB))})
grpc("gRPC message that lies about its length", lambda: {"body": grpc_message(b"x" * 1000, length=0xFFFFFFFF), "endless": b"x" * MB})
grpc("gRPC message without an end", lambda: {"body": grpc_message(b"", length=4 * MB - 1), "endless": b"x" * 100, "pause": 0.5})
grpc("gRPC messages without an end", lambda: {"endless": grpc_message(b"\x12\x01x") * 5000}, script="stream();")
grpc("empty gRPC messages without an end", lambda: {"endless": grpc_message(b"") * 10_000})
grpc("gRPC trailers, 100,000", lambda: {"body": grpc_message(b""), "trailers": [(f"x-{n}", "v") for n in range(100_000)]})
grpc("gRPC status text of 4 MB", lambda: {"trailers": [("grpc-message", "%41" * MB)]})
grpc("nested gRPC message", lambda: {"body": grpc_message(nested(1000))})
grpc("gRPC message of a million elements", lambda: {"body": grpc_message(b"\x12\x01x" * MB)}, memory=500, why=KEPT)
grpc("gRPC message of rubbish", lambda: {"body": grpc_message(bytes(range(256)) * 8000)})
grpc("gRPC map of a million keys", lambda: {"body": grpc_message(b"".join(field(3, field(1, "%06d" % n) + field(2, "v")) for n in range(200_000)))}, memory=500, why=KEPT)
grpc("no gRPC trailers", lambda: {"body": grpc_message(b""), "ends": False})


def reflection(name, describe, **rest):
    case(name, ("grpc",), "reflect();", lambda *_: serve_reflection(describe()), **rest)


def descriptor(name, needs=(), extra=b""):
    """A file with one message; `odd.Odd` is its service where it is called so."""
    out = field(1, name) + field(2, "odd") + b"".join(field(3, need) for need in needs)
    message = name.replace(".", "_")
    return out + field(4, field(1, message)) + field(12, "proto3") + extra


SERVICE = field(6, field(1, "Odd") + field(2, field(1, "Do") + field(2, ".odd.odd_proto") + field(3, ".odd.odd_proto")))


def asked_file(question):
    """The name of the file a question is about; a symbol is `odd.proto`."""
    return question[2:].decode() if question[:1] == b"\x1a" and len(question) < 130 else "odd.proto"


def chain_of_files():
    def describe(question):
        name = asked_file(question)
        number = int(name[1:-6]) if name[0] == "f" else 0
        return [descriptor(name, [f"f{number + 1}.proto"], SERVICE if name == "odd.proto" else b"")]

    return describe


def circle_of_files():
    return lambda question: [descriptor("odd.proto", ["b.proto"], SERVICE), descriptor("b.proto", ["odd.proto"])]


def many_messages():
    one = b"".join(field(4, field(1, "M%d" % n) + b"".join(field(2, field(1, "f%d" % f) + b"\x18" + varint(f) + b"\x20\x01\x28\x09") for f in range(1, 20))) for n in range(9000))
    whole = [descriptor("odd.proto", (), SERVICE + one)]
    return lambda question: whole


reflection("descriptors of 3 MB", many_messages, memory=400, why="what the server describes is kept, 64 MB of it at most")
reflection("descriptors without an end", chain_of_files)
reflection("descriptors that import each other", circle_of_files)
reflection("descriptors of rubbish", lambda: lambda question: [b"\xff" * 1000])
reflection("descriptors of 50 MB", lambda: (lambda whole: lambda question: [whole])(descriptor("odd.proto", (), b"\x0a\x00" * (25 * MB))))
reflection("nested descriptors", lambda: (lambda whole: lambda question: [whole])(descriptor("odd.proto", (), SERVICE + field(4, field(1, "N") + nested_types(500)))))


def nested_types(levels):
    inner = field(1, "M")
    for _ in range(levels):
        inner = field(1, "M") + field(3, inner)
    return field(3, inner)


# ---------------------------------------------------------------- files of the script


def on_disk(name, script, init, files, **rest):
    """Nothing odd comes from the network: what is odd is a file, `name -> bytes`."""

    def write(folder):
        for file, make in files.items():
            (folder / file).write_bytes(make())

    case(name, ("http",), script, lambda *_: serve_http1(Answer(body=b"ok")), init=init, files=write, **rest)


# A parser goes through a file once: a row at a time in the first iterations, then all of it again as a table.
CSV_INIT = """
import { open as openFile } from 'k6/experimental/fs';
import csv from 'k6/experimental/csv';
const parser = new csv.Parser(await openFile('FOLDER/odd.csv'), OPTIONS), whole = await openFile('FOLDER/odd.csv');
"""
CSV_READ = """
  const { done, value } = await parser.next();
  say(done, done ? 0 : (value.length ?? Object.keys(value).length));
  if (done) say((await csv.parse(whole, OPTIONS)).length);
"""
COLUMNS = 1_000_000
FILES = {
    "50 MB in one line": lambda: b"x" * (50 * MB),
    "50 MB in one field of quotes": lambda: b'"' + b'""' * (25 * MB - 1) + b'"',
    "a quote without an end": lambda: b'a,b\n"' + b"x,y\n" * (12 * MB),
    "stray quotes": lambda: b'a,b\n' + b'x"y,\n' * (2 * MB),
    "a million columns": lambda: (b"v," * COLUMNS + b"v\n") * 3,
    "rows of other lengths": lambda: b"a,b\n" + b"1,2,3\n" * (4 * MB),
    "10 MB of short rows": lambda: b"a,b\n" * (5 * MB // 2),
}
READ = "the script asks for the rows as values"
for name, make in FILES.items():
    on_disk(f"CSV: {name}", CSV_READ.replace("OPTIONS", "{}"), CSV_INIT.replace("OPTIONS", "{}"), {"odd.csv": make}, memory=300, why=READ)
AS_OBJECTS = "{ asObjects: true }"
on_disk(
    "CSV: a million columns as objects", CSV_READ.replace("OPTIONS", AS_OBJECTS), CSV_INIT.replace("OPTIONS", AS_OBJECTS),
    {"odd.csv": lambda: b",".join(b"c%d" % n for n in range(100_000)) + b"\n" + (b"v," * 99_999 + b"v\n") * 3}, memory=300, why=READ,
)

PROTO_INIT = "let told; const hostile = new grpc.Client(); try { told = hostile.load(['FOLDER'], 'hostile.proto').length; } catch (error) { told = String(error); }"


def proto(name, files, **rest):
    """`.proto` files that every VU loads."""
    if not isinstance(files, dict):
        files = {"hostile.proto": files}
    on_disk(f".proto: {name}", "say(told);", PROTO_INIT, files, **rest)


def proto_layers(count, width):
    """Files that import all files of the next layer publicly."""

    def one(layer):
        imports = "".join(f'import public "layer{layer + 1}_{n}.proto";\n' for n in range(width) if layer < count)
        return f'syntax = "proto3";\n{imports}'.encode()

    files = {"hostile.proto": lambda: one(0)}
    for layer in range(1, count + 1):
        for number in range(width):
            files[f"layer{layer}_{number}.proto"] = lambda layer=layer: one(layer)
    return files


PROTO3 = b'syntax = "proto3";\n'
proto("messages in messages, 10,000 levels", lambda: PROTO3 + b"message M {" * 10_000 + b"}" * 10_000)
proto("groups in groups, 10,000 levels", lambda: b"message M {" + b"optional group G = 1 {" * 10_000 + b"}" * 10_001)
proto("options in options, 10,000 levels", lambda: PROTO3 + b"option (x) = " + b"{ a " * 10_000 + b"}" * 10_000 + b";")
proto("layers of public imports", proto_layers(60, 3))
proto("an import of itself", lambda: PROTO3 + b'import public "hostile.proto"; message M {}')
proto("100,000 fields", lambda: PROTO3 + b"message M {\n" + b"".join(b"optional int32 f%d = %d [deprecated = true];\n" % (n, n) for n in range(20_000, 120_000)) + b"}", memory=400, why="the parser says of each part of a field where it stands")
proto("100,000 values, downwards", lambda: PROTO3 + b"enum E {\nZERO = 0;\n" + b"".join(b"V%d = -%d;\n" % (n, n) for n in range(1, 100_000)) + b"}", memory=300, why="the parser says of each value where it stands")
proto("50 MB of rubbish", lambda: b"\x01\xff" * (25 * MB))
proto("50 MB of comments", lambda: PROTO3 + b"// nothing\n" * (50 * MB // 11))

# ---------------------------------------------------------------- below HTTP


def below(name, peer, protocols=("https", "wss")):
    case(name, protocols, "HTTP_OR_WS", lambda *_: peer, is_below_tls=True)


def drip_handshake(sock):
    sock.recv(65536)
    drip(sock, b"\x16\x03\x03\x00\x7a\x02\x00\x00\x76" + b"\x03" * 200)


def records_of_nothing(sock):
    sock.recv(65536)
    while True:
        sock.sendall(b"\x14\x03\x03\x00\x01\x01" * 5000)


def long_handshake(sock):
    sock.recv(65536)
    sock.sendall(b"\x16\x03\x03\x40\x00\x02\xff\xff\xff" + b"\x03" * 16380)
    while True:
        sock.sendall(b"\x16\x03\x03\x40\x00" + b"\x03" * 16384)


def rubbish(sock):
    while True:
        sock.sendall(b"\xa5" * 65536)


below("TLS handshake, a byte a second", drip_handshake)
below("TLS records of nothing", records_of_nothing)
below("TLS handshake message of 16 MB", long_handshake)
below("rubbish instead of TLS", rubbish)
for name in ("long.pem", "chain.pem"):
    what = {"long.pem": "TLS certificate with 20,000 names", "chain.pem": "TLS chain of 40 certificates"}[name]
    case(what, ("https", "wss"), "HTTP_OR_WS", lambda protocol, _: serve_ws(b"") if protocol == "wss" else serve_http1(Answer(body=b"ok")), chain=name)
