#!/usr/bin/env python3
"""A server that misbehaves in one way, for hostile.py: `hostile_peer.py CASE PROTOCOL FOLDER` prints its port.

What it sends is computed before it listens, so that it does not take processor time from who is measured. The folder
has `cert.pem` and `key.pem`. It ends with its standard input.
"""

import base64
import hashlib
import os
import socket
import ssl
import struct
import sys
import threading
import time

DRIP_SECONDS = 1.0


# ---------------------------------------------------------------- HTTP/1.1


class Answer:
    """What is answered over HTTP/1.1 and HTTP/2 alike: a head, a body, and what comes over and over after it."""

    def __init__(self, headers=(), body=b"", status=200, endless=None, pause=0.0, announced=None):
        self.headers, self.body, self.status = [(pair[0], pair[1]) for pair in headers], body, status
        self.endless, self.pause, self.announced = endless, pause, announced


def http1(answer):
    """Bytes of an answer over HTTP/1.1."""
    head = [b"HTTP/1.1 %d Odd" % answer.status]
    head += [name.encode() + b": " + value.encode("latin-1") for name, value in answer.headers]
    if answer.endless is None:
        head.append(b"Content-Length: %d" % (len(answer.body) if answer.announced is None else answer.announced))
    return b"\r\n".join(head) + b"\r\n\r\n" + answer.body


def read_head(sock, buffer):
    """Reads a request without a body; its first line, or None at the end."""
    while b"\r\n\r\n" not in buffer:
        data = sock.recv(65536)
        if not data:
            return None
        buffer += data
    head, _, rest = bytes(buffer).partition(b"\r\n\r\n")
    buffer[:] = rest
    return head


def pour(sock, piece, pause):
    while True:
        sock.sendall(piece)
        if pause:
            time.sleep(pause)


def drip(sock, data, pause=DRIP_SECONDS):
    for at in range(len(data)):
        sock.sendall(data[at : at + 1])
        time.sleep(pause)


def serve_http1(answer):
    """Answers every request alike."""
    whole = http1(answer)

    def converse(sock):
        buffer = bytearray()
        while read_head(sock, buffer) is not None:
            sock.sendall(whole)
            if answer.endless is not None:
                pour(sock, answer.endless, answer.pause)

    return converse


def serve_raw(begin, endless=None, pause=0.0):
    """Writes bytes as they are behind every request; with nothing to go on, it leaves."""

    def converse(sock):
        buffer = bytearray()
        while read_head(sock, buffer) is not None:
            if begin is not None:
                sock.sendall(begin)
            if endless is None:
                return
            pour(sock, endless, pause)

    return converse


# ---------------------------------------------------------------- HTTP/2

DATA, HEADERS, PRIORITY, RST, SETTINGS, PUSH, PING, GOAWAY, WINDOW, CONTINUATION = range(10)
END_STREAM, ACK, END_HEADERS = 1, 1, 4
MAX_FRAME = 16384


def frame(kind, flags=0, stream=0, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def hpack_number(value, bits, first=0):
    most = (1 << bits) - 1
    if value < most:
        return bytes([first | value])
    out, value = bytearray([first | most]), value - most
    while value >= 128:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def hpack(fields):
    """A header block of literals that nobody has to remember."""
    out = bytearray()
    for name, value in fields:
        name, value = name.lower().encode(), value.encode("latin-1")
        out += b"\0" + hpack_number(len(name), 7) + name + hpack_number(len(value), 7) + value
    return bytes(out)


def header_frames(stream, block, flags=0):
    """A block in as many frames as it takes."""
    pieces = [block[at : at + MAX_FRAME] for at in range(0, len(block), MAX_FRAME)] or [b""]
    out = bytearray()
    for number, piece in enumerate(pieces):
        last = END_HEADERS if number == len(pieces) - 1 else 0
        kind = HEADERS if number == 0 else CONTINUATION
        out += frame(kind, last | (flags if number == 0 else 0), stream, piece)
    return bytes(out)


class Http2:
    """One connection, seen from the server: it knows frames and windows, and no header of a request."""

    def __init__(self, sock):
        self.sock, self.buffer = sock, bytearray()
        self.window, self.first_window, self.windows, self.gone = 65535, 65535, {}, set()

    def start(self, settings=b""):
        while len(self.buffer) < 24:
            self.fill()
        del self.buffer[:24]
        self.sock.sendall(frame(SETTINGS, payload=settings))

    def fill(self):
        data = self.sock.recv(65536)
        if not data:
            raise ConnectionError("the client left")
        self.buffer += data

    def next(self):
        """The next frame; those about windows and settings are heeded on the way."""
        while len(self.buffer) < 9 or len(self.buffer) < 9 + int.from_bytes(self.buffer[:3], "big"):
            self.fill()
        length = int.from_bytes(self.buffer[:3], "big")
        kind, flags = self.buffer[3], self.buffer[4]
        stream = int.from_bytes(self.buffer[5:9], "big") & 0x7FFFFFFF
        payload = bytes(self.buffer[9 : 9 + length])
        del self.buffer[: 9 + length]
        if kind == SETTINGS and not flags & ACK:
            for at in range(0, len(payload), 6):
                name, value = struct.unpack(">HI", payload[at : at + 6])
                if name == 4:
                    self.first_window = value
            self.sock.sendall(frame(SETTINGS, ACK))
        elif kind == PING and not flags & ACK:
            self.sock.sendall(frame(PING, ACK, 0, payload))
        elif kind == WINDOW:
            more = struct.unpack(">I", payload)[0]
            if stream:
                self.windows[stream] = self.windows.get(stream, self.first_window) + more
            else:
                self.window += more
        elif kind == RST:
            self.gone.add(stream)
        return kind, flags, stream, payload

    def request(self):
        """The stream of the next request whose head is whole."""
        while True:
            kind, flags, stream, _ = self.next()
            if kind in (HEADERS, CONTINUATION) and flags & END_HEADERS:
                self.windows.setdefault(stream, self.first_window)
                return stream

    def body(self, stream, body, is_last=True):
        """Sends data as far as the windows allow; false when the client wants no more."""
        view, at = memoryview(body), 0
        while at < len(view):
            if stream in self.gone:
                return False
            room = min(self.window, self.windows[stream], 1 << 20, len(view) - at)
            if room <= 0:
                self.next()
                continue
            out = bytearray()
            for start in range(at, at + room, MAX_FRAME):
                piece = view[start : min(start + MAX_FRAME, at + room)]
                end = END_STREAM if is_last and start + len(piece) == len(view) else 0
                out += frame(DATA, end, stream, piece)
            self.sock.sendall(out)
            self.window -= room
            self.windows[stream] -= room
            at += room
        return True


def serve_http2(answer):
    """Answers every request alike."""
    fields = [(":status", str(answer.status)), *answer.headers]
    if answer.endless is None:
        fields.append(("content-length", str(len(answer.body))))
    block = hpack(fields)

    def converse(sock):
        peer = Http2(sock)
        peer.start()
        while True:
            stream = peer.request()
            has_body = bool(answer.body) or answer.endless is not None
            sock.sendall(header_frames(stream, block, 0 if has_body else END_STREAM))
            alive = not answer.body or peer.body(stream, answer.body, answer.endless is None)
            while alive and answer.endless is not None:
                alive = peer.body(stream, answer.endless, False)
                time.sleep(answer.pause)

    return converse


def serve_frames(make, once=None, settings=b"", pause=0.0):
    """Behind every request: what `make(stream)` gives, once, and `once(stream)` before it; then over and over."""

    def converse(sock):
        peer = Http2(sock)
        peer.start(settings)
        while True:
            stream = peer.request()
            if once:
                sock.sendall(once(stream))
            endless = make(stream) if make else None
            if endless:
                pour(sock, endless, pause)

    return converse


# ---------------------------------------------------------------- WebSocket


def ws_frame(opcode, payload=b"", fin=True, rsv1=False, length=None, mask=None):
    first = (0x80 if fin else 0) | (0x40 if rsv1 else 0) | opcode
    length = len(payload) if length is None else length
    bit = 0x80 if mask else 0
    if length < 126:
        head = bytes([first, bit | length])
    elif length < 65536:
        head = bytes([first, bit | 126]) + struct.pack(">H", length)
    else:
        head = bytes([first, bit | 127]) + struct.pack(">Q", length)
    return head + (mask or b"") + payload


def serve_ws(begin, endless=None, deflate=False, pause=0.0):
    """Shakes hands, then writes; and listens on, so that the client's goodbye finds somebody."""
    extension = b"Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover\r\n"

    def converse(sock):
        head = read_head(sock, bytearray())
        if head is None:
            return
        key = next(line.split(b":", 1)[1].strip() for line in head.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key:"))
        accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
        sock.sendall(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
            + accept + b"\r\n" + (extension if deflate else b"") + b"\r\n"
        )
        sock.sendall(begin)
        if endless is not None:
            pour(sock, endless, pause)
        while sock.recv(65536):
            pass

    return converse


# ---------------------------------------------------------------- gRPC


def grpc_message(payload, packed=False, length=None):
    return bytes([packed]) + struct.pack(">I", len(payload) if length is None else length) + payload


def varint(value):
    out = bytearray()
    while value >= 128:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def field(number, payload):
    """A field with bytes."""
    if isinstance(payload, str):
        payload = payload.encode()
    return varint(number << 3 | 2) + varint(len(payload)) + payload


GRPC_HEAD = [(":status", "200"), ("content-type", "application/grpc")]
GRPC_END = [("grpc-status", "0")]


def serve_grpc(body=b"", endless=None, head=(), trailers=(), ends=True, pause=0.0):
    """Answers every call alike, once its request has come."""
    start, end = hpack([*GRPC_HEAD, *head]), hpack([*GRPC_END, *trailers])

    def converse(sock):
        peer = Http2(sock)
        peer.start()
        while True:
            stream = peer.request()
            sock.sendall(header_frames(stream, start))
            alive = peer.body(stream, body, False)
            while alive and endless is not None:
                alive = peer.body(stream, endless, False)
                time.sleep(pause)
            if alive and ends:
                sock.sendall(header_frames(stream, end, END_STREAM))

    return converse


def serve_reflection(describe):
    """Lists one service, `odd.Odd`, and answers every question for a file with what `describe(question)` gives."""

    def converse(sock):
        peer = Http2(sock)
        peer.start()
        heads, asked = set(), {}
        while True:
            kind, flags, stream, payload = peer.next()
            if kind in (HEADERS, CONTINUATION) and flags & END_HEADERS and stream not in heads:
                heads.add(stream)
                peer.windows.setdefault(stream, peer.first_window)
                sock.sendall(header_frames(stream, hpack(GRPC_HEAD)))
            if kind != DATA:
                continue
            asked[stream] = asked.get(stream, b"") + payload
            while len(asked[stream]) >= 5:
                length = 5 + int.from_bytes(asked[stream][1:5], "big")
                question, asked[stream] = asked[stream][5:length], asked[stream][length:]
                if b":" in question[:1]:
                    files = None
                else:
                    files = describe(question)
                answer = field(6, field(1, field(1, "odd.Odd"))) if files is None else field(4, b"".join(field(1, one) for one in files))
                if not peer.body(stream, grpc_message(answer), False):
                    break
            if flags & END_STREAM:
                sock.sendall(header_frames(stream, hpack(GRPC_END), END_STREAM))

    return converse


# ---------------------------------------------------------------- listening


def tls_context(folder, protocols, name="cert.pem"):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(os.path.join(folder, name), os.path.join(folder, "key.pem"))
    context.set_alpn_protocols(protocols)
    return context


def listen(converse, context=None):
    """Serves connections, each on a thread of its own, until standard input ends."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=256)

    def one(sock):
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if context:
                sock = context.wrap_socket(sock, server_side=True)
            converse(sock)
        except (OSError, ValueError, StopIteration, struct.error):
            # Whoever leaves early is not our business.
            pass
        finally:
            sock.close()

    def accept():
        while True:
            sock, _ = listener.accept()
            threading.Thread(target=one, args=(sock,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    print(listener.getsockname()[1], flush=True)
    sys.stdin.read()


def main():
    from hostile_cases import CASES

    name, protocol, folder = sys.argv[1:]
    if name == "good":
        converse, context = serve_http1(Answer(body=b"good")), None
    else:
        converse = CASES[name].peer(protocol, folder)
        context = None
        if protocol in ("https", "wss", "h2") and not CASES[name].is_below_tls:
            chain = CASES[name].chain or "cert.pem"
            context = tls_context(folder, ["h2"] if protocol == "h2" else ["http/1.1"], chain)
    listen(converse, context)
    # Threads that pour would keep the process.
    os._exit(0)


if __name__ == "__main__":
    main()
