"""A target that writes down every request that it answers: a line `SECONDS PEER PATH` each, flushed at once."""

import asyncio
import sys
import time


async def serve(reader, writer, log):
    peer = writer.get_extra_info("peername")[0]
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            path = head.split(b" ", 2)[1].decode()
            # Some answers take longer than others, so that the times are worth a histogram.
            await asyncio.sleep(0.001 + (hash(path) % 20) / 1000)
            log.write(f"{time.time():.6f} {peer} {path}\n")
            log.flush()
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def main(host, port, path):
    with open(path, "w", encoding="utf-8") as log:
        server = await asyncio.start_server(lambda r, w: serve(r, w, log), host, port)
        print("ready", flush=True)
        async with server:
            await server.serve_forever()


if __name__ == "__main__":
    try:
        asyncio.run(main(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
    except KeyboardInterrupt:
        pass
