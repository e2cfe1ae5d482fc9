"""The servers that soak.py starts, each a real one of Debian's packages, or a few lines of ours where the protocol has none."""

import asyncio
import getpass
import os
import shutil
import socket
import ssl
import subprocess
import threading
import time
from pathlib import Path

PATIENCE = 60  # seconds that a server may take to listen


class Missing(Exception):
    """A server that is not installed; its text says which package has it."""


def program(name, package):
    places = os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin"
    found = shutil.which(name, path=places)
    if not found:
        raise Missing(f"there is no `{name}` here (Debian: {package})")
    return found


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def wait_until(holds, what):
    end = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > end:
            raise Missing(f"{what} did not come up")
        time.sleep(0.1)


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Servers:
    """What was started for one scenario; `ports` are those whose connections are counted."""

    def __init__(self, folder):
        self.folder, self.processes, self.loops, self.ports = Path(folder), [], [], []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in reversed(self.processes):
            process.kill()
            process.wait()
        for loop in self.loops:
            loop.call_soon_threadsafe(loop.stop)

    def start(self, words, port, what, **more):
        quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self.processes.append(subprocess.Popen([str(word) for word in words], cwd=self.folder, **quiet, **more))
        wait_until(lambda: listens(port), what)
        self.ports.append(port)
        return port

    def run(self, words, **more):
        quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        return subprocess.run([str(word) for word in words], cwd=self.folder, **quiet, **more).returncode == 0

    def must(self, words, **more):
        if not self.run(words, **more):
            raise Missing(f"`{Path(words[0]).name}` failed")

    def serve(self, handler, context=None):
        """A server of ours, on a thread of its own."""
        loop, port = asyncio.new_event_loop(), free_port()

        async def guarded(reader, writer):
            try:
                await handler(reader, writer)
            except (OSError, asyncio.IncompleteReadError):
                pass
            finally:
                writer.close()

        starting = asyncio.start_server(guarded, "127.0.0.1", port, ssl=context, backlog=1000)
        loop.set_exception_handler(lambda *_: None)
        loop.run_until_complete(starting)
        threading.Thread(target=loop.run_forever, daemon=True).start()
        self.loops.append(loop)
        self.ports.append(port)
        return port


def redis(servers):
    port = free_port()
    servers.start([program("redis-server", "redis-server"), "--port", port, "--bind", "127.0.0.1", "--save", ""], port, "Redis")
    return {"REDIS": f"redis://127.0.0.1:{port}"}


def redis_cluster(servers):
    ports = [free_port() for _ in range(3)]
    for port in ports:
        (servers.folder / str(port)).mkdir()
        words = [program("redis-server", "redis-server"), "--port", port, "--bind", "127.0.0.1", "--save", "", "--dir", servers.folder / str(port)]
        servers.start([*words, "--cluster-enabled", "yes", "--cluster-port", free_port()], port, "a node of Redis")
    cli, nodes = program("redis-cli", "redis-tools"), [f"127.0.0.1:{port}" for port in ports]
    servers.must([cli, "--cluster", "create", *nodes, "--cluster-yes"])
    is_up = lambda port: b"cluster_state:ok" in subprocess.run([cli, "-p", str(port), "cluster", "info"], capture_output=True).stdout
    wait_until(lambda: all(map(is_up, ports)), "the cluster of Redis")
    return {"REDIS": f"redis://{nodes[0]}"}


def postgres(servers):
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not found:
        raise Missing("there is no PostgreSQL here (Debian: postgresql)")
    data, port, more = servers.folder / "postgres", free_port(), {}
    data.mkdir()
    if os.geteuid() == 0:
        # It refuses to run as root.
        os.chmod(servers.folder, 0o755)
        os.chown(data, 65534, 65534)
        more = {"user": 65534, "group": 65534}
    servers.must([found[-1] / "initdb", "-U", "volley", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C", "-D", data], **more)
    words = [found[-1] / "postgres", "-h", "127.0.0.1", "-p", port, "-k", "", "-c", "fsync=off", "-c", "max_connections=300", "-D", data]
    servers.start(words, port, "PostgreSQL", **more)
    return {"POSTGRES": f"postgres://volley@127.0.0.1:{port}/postgres?sslmode=disable"}


def mariadb(servers):
    data, port, at = servers.folder / "mariadb", free_port(), servers.folder / "s"
    install = program("mariadb-install-db", "mariadb-server")
    servers.must([install, "--no-defaults", "--skip-test-db", "--auth-root-authentication-method=normal", "--user=root", f"--datadir={data}"])
    words = [program("mariadbd", "mariadb-server"), "--no-defaults", "--user=root", "--bind-address=127.0.0.1", f"--port={port}", "--max-connections=300"]
    words += ["--skip-name-resolve", "--innodb-flush-log-at-trx-commit=0", f"--datadir={data}", f"--socket={at}"]
    servers.start(words, port, "MariaDB")
    setup = "CREATE DATABASE soak; CREATE USER u@'%' IDENTIFIED BY 's3cret'; GRANT ALL ON *.* TO u@'%'"
    servers.must([program("mariadb", "mariadb-server"), "--no-defaults", "-u", "root", "-S", at, "-e", setup])
    return {"MYSQL": f"u:s3cret@tcp(127.0.0.1:{port})/soak"}


def dnsmasq(servers):
    port = free_port()
    words = [program("dnsmasq", "dnsmasq-base"), "--keep-in-foreground", "--no-resolv", "--no-hosts", f"--port={port}", "--listen-address=127.0.0.1"]
    words += ["--bind-interfaces", "--conf-file=/dev/null", "--pid-file=", "--local=/invalid/", "--txt-record=soak.test,hello"]
    servers.start([*words, "--address=/soak.test/10.0.0.1", "--address=/soak.test/fd00::1"], port, "dnsmasq")
    return {"DNS": f"127.0.0.1:{port}"}


def certificate(servers):
    """Of localhost, signed by itself."""
    names = ["-keyout", "key.pem", "-out", "cert.pem", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    servers.must([program("openssl", "openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", *names])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(servers.folder / "cert.pem", servers.folder / "key.pem")
    return context


async def echo(reader, writer):
    while data := await reader.read(4096):
        writer.write(data)
        await writer.drain()


async def events(reader, writer):
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n")
    for at in range(5):
        writer.write(f"id: {at}\nevent: tick\ndata: {'x' * 100}\n\n".encode())
        await writer.drain()
        await asyncio.sleep(0.01)


def echoes(servers):
    return {"ECHO": servers.serve(echo), "ECHO_TLS": servers.serve(echo, certificate(servers))}


def event_streams(servers):
    return {"EVENTS": f"http://127.0.0.1:{servers.serve(events)}/"}


def mosquitto(servers):
    plain, web = free_port(), free_port()
    user = "user root\n" if os.geteuid() == 0 else ""
    listeners = f"listener {plain} 127.0.0.1\nlistener {web} 127.0.0.1\nprotocol websockets\n"
    (servers.folder / "mosquitto.conf").write_text(f"{user}allow_anonymous true\nmax_queued_messages 0\n{listeners}")
    servers.start([program("mosquitto", "mosquitto"), "-c", servers.folder / "mosquitto.conf"], plain, "mosquitto")
    wait_until(lambda: listens(web), "mosquitto's WebSockets")
    servers.ports.append(web)
    return {"MQTT": f"mqtt://127.0.0.1:{plain}", "MQTT_WEBSOCKET": f"ws://127.0.0.1:{web}/mqtt"}


def sshd(servers):
    # It wants its whole path, and a folder where it locks itself up.
    daemon, keygen, port = program("sshd", "openssh-server"), program("ssh-keygen", "openssh-client"), free_port()
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)
    for name in ["host", "key"]:
        servers.must([keygen, "-q", "-t", "ed25519", "-N", "", "-f", servers.folder / name])
    lines = [f"Port {port}", "ListenAddress 127.0.0.1", f"HostKey {servers.folder / 'host'}", f"AuthorizedKeysFile {servers.folder / 'key.pub'}"]
    lines += ["PidFile none", "UsePAM no", "StrictModes no", "PermitRootLogin yes", "MaxStartups 300:30:400", "UseDNS no"]
    (servers.folder / "sshd_config").write_text("\n".join(lines) + "\n")
    command = [daemon, "-D", "-f", servers.folder / "sshd_config"]
    if os.geteuid() == 0:
        # The shell that somebody has, and what it does when it starts, is not what is measured: this server sees another one.
        users = [line.split(":") for line in Path("/etc/passwd").read_text().splitlines()]
        plain = [":".join([*user[:-1], "/bin/sh"] if user[0] == getpass.getuser() else user) for user in users]
        (servers.folder / "passwd").write_text("\n".join(plain) + "\n")
        command = ["unshare", "--mount", "sh", "-c", f"mount --bind {servers.folder / 'passwd'} /etc/passwd && exec \"$@\"", "sshd", *command]
    servers.start(command, port, "sshd")
    return {"SSH_PORT": port, "SSH_USER": getpass.getuser(), "SSH_KEY": servers.folder / "key"}


def folder(servers):
    (servers.folder / "files").mkdir()
    return {"FOLDER": servers.folder / "files"}


def nothing(_servers):
    return {}
