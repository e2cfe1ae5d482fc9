//! `k6/x/ssh` beside Debian's OpenSSH server, on every engine of the build.

use std::fs;
use std::io::Read as _;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::harness::missing;
use crate::needs;
use crate::peers::free_port;
use crate::procedure_services::{Service, service, until};
use crate::program::{Running, engines, run};
use crate::redis::{check, logged, script};

/// Keys, by the name of their files: those of the server and those that open it.
const KEYS: &[(&str, &[&str])] = &[
    ("host", &["-t", "ed25519", "-N", ""]),
    ("ed25519", &["-t", "ed25519", "-N", ""]),
    ("ecdsa", &["-t", "ecdsa", "-N", ""]),
    ("rsa", &["-t", "rsa", "-b", "2048", "-N", ""]),
    ("rsa_pem", &["-t", "rsa", "-b", "2048", "-m", "PEM", "-N", ""]),
    ("rsa_pkcs8", &["-t", "rsa", "-b", "2048", "-m", "PKCS8", "-N", ""]),
    ("locked", &["-t", "ed25519", "-a", "1", "-N", "s3cret"]),
    ("locked_rsa", &["-t", "rsa", "-b", "2048", "-a", "1", "-N", "s3cret"]),
    ("stranger", &["-t", "ed25519", "-N", ""]),
];

/// Hosts' keys that are not the usual one.
const HOST_KEYS: &[(&str, &[&str])] =
    &[("host_ecdsa", &["-t", "ecdsa", "-N", ""]), ("host_rsa", &["-t", "rsa", "-b", "2048", "-N", ""])];

/// A user whom only the server under test sees, and whose password is `s3cret`.
const GUEST: &str = "volley-guest";
const GUEST_HASH: &str =
    "$6$volley$Annjo7EVCcjwBwhYYZYrwAZSl8EDTURCQ/2Ia0YEwW/GR.Jg3xvisAgS10SK1PkRXbnJl6Ur664k9Vvff0mMO.";

/// A server that lets in the user of this test, with any key but the stranger's.
pub fn sshd(folder: &Path) -> (Service, u16) {
    sshd_with(folder, "host")
}

fn is_root() -> bool {
    // SAFETY: takes nothing and can't fail.
    unsafe { libc::geteuid() == 0 }
}

/// The same, with this key of its own.
fn sshd_with(folder: &Path, host_key: &str) -> (Service, u16) {
    let keygen = needs::program(&["ssh-keygen"], "Debian: openssh-client");
    let program = needs::program(&["/usr/sbin/sshd", "sshd"], "Debian: openssh-server");
    let at = |name: &str| folder.join(name).display().to_string();
    let mut allowed = String::new();
    for (name, args) in KEYS.iter().chain(HOST_KEYS) {
        if Path::new(&at(name)).exists() {
            continue;
        }
        let mut command = Command::new(&keygen);
        command.args(["-q", "-f", &at(name)]).args(*args).stdin(Stdio::null());
        assert!(command.status().unwrap().success(), "{name}");
    }
    for (name, _) in KEYS.iter().filter(|(name, _)| !["host", "stranger"].contains(name)) {
        allowed += &fs::read_to_string(at(&format!("{name}.pub"))).unwrap();
    }
    fs::write(at("allowed"), allowed).unwrap();
    let mut command = Command::new(&program);
    if is_root() {
        // Where it locks itself up before somebody has logged in.
        fs::create_dir_all("/run/sshd").unwrap();
        fs::set_permissions("/run/sshd", fs::Permissions::from_mode(0o755)).unwrap();
        // A guest whom only this server sees, in files mounted over the machine's for it alone.
        let files = [
            ("passwd", format!("{GUEST}:x:54321:54321::/tmp:/bin/sh")),
            ("shadow", format!("{GUEST}:{GUEST_HASH}:20000:0:99999:7:::")),
        ];
        let mut mounts = String::new();
        for (name, line) in files {
            // A plain shell: what somebody's own one does when it starts may take seconds.
            let own = fs::read_to_string(format!("/etc/{name}")).unwrap().replace(":/bin/bash\n", ":/bin/sh\n");
            fs::write(at(name), format!("{}\n{line}\n", own.trim_end())).unwrap();
            mounts += &format!("mount --bind '{}' /etc/{name} && ", at(name));
        }
        command = Command::new(needs::program(&["unshare"], "Debian: util-linux"));
        command.args(["--mount", "sh", "-c", &format!("{mounts} exec \"$0\" \"$@\"")]).arg(&program);
    }
    let port = free_port();
    let config = format!(
        "Port {port}\nListenAddress 127.0.0.1\nHostKey {}\nAuthorizedKeysFile {}\nPidFile none\nUsePAM no\nStrictModes no\n\
         PasswordAuthentication yes\nPermitRootLogin yes\nMaxStartups 100:30:200\nUseDNS no\n",
        at(host_key),
        at("allowed"),
    );
    fs::write(at("sshd_config"), config).unwrap();
    let server = service(command.args(["-D", "-f", &at("sshd_config")]));
    until("sshd", || TcpStream::connect(("127.0.0.1", port)).is_ok());
    (server, port)
}

/// Who runs this test.
pub fn user() -> String {
    let id = Command::new("id").arg("-un").output().unwrap();
    String::from_utf8(id.stdout).unwrap().trim().to_owned()
}

const HEAD: &str = r"
import { check } from 'k6';
import ssh, { connect, run } from 'k6/x/ssh';
const told = (work) => { try { return work(); } catch (error) { return String(error); } };
const port = Number(__ENV.SSH_PORT), username = __ENV.SSH_USER;
const key = (name) => ({ host: 'far.test', port, username, rsa_key: `${__ENV.KEYS}/${name}` });
export const options = { hosts: { 'far.test': '127.0.0.1' }, blockHostnames: ['blocked.test'], blacklistIPs: ['10.0.0.0/8'] };
";

/// The file of a default key is looked for in the home folder.
fn at_home(mut command: Command, keys: &Path) -> Command {
    fs::create_dir_all(keys.join(".ssh")).unwrap();
    fs::copy(keys.join("rsa"), keys.join(".ssh/id_rsa")).unwrap();
    command.env("HOME", keys);
    command
}

fn env(folder: &Path, port: u16) -> Vec<(&'static str, String)> {
    vec![("SSH_PORT", port.to_string()), ("SSH_USER", user()), ("KEYS", folder.display().to_string())]
}

#[test]
fn keys_commands_and_what_fails() {
    let keys = tempfile::tempdir().unwrap();
    let (_server, port) = sshd(keys.path());
    let text = format!(
        r"{HEAD}
const text = open(`${{__ENV.KEYS}}/ed25519`);
const early = told(() => connect(key('rsa')));
export default function () {{
  console.log(early, ssh.run === run, told(() => run('true')));
  for (const name of ['ed25519', 'ecdsa', 'rsa', 'rsa_pem', 'rsa_pkcs8']) console.log(name, told(() => {{ connect(key(name)); return run(`printf ${{name}}`); }}));
  for (const name of ['locked', 'locked_rsa']) {{
    console.log(told(() => connect(key(name))), told(() => connect({{ ...key(name), passphrase: 'wrong' }})));
    console.log(told(() => {{ connect({{ ...key(name), passphrase: 's3cret' }}); return run('echo in'); }}));
  }}
  ssh.connect({{ ...key('stranger'), private_key: text }});
  console.log(run('echo one; echo two >&2'), run('head -c 300000 /dev/zero | tr \\0 x').length);
  console.log(told(() => run('echo lost; echo why >&2; exit 3')), told(() => run('exit 4')), told(() => run('kill -TERM $$')), run('cat; echo still'));
  console.log(told(() => connect(key('stranger'))), told(() => run('true')));
  console.log(told(() => connect({{ ...key('rsa'), password: 'n0t-this' }})));
  console.log(told(() => connect({{ ...key('rsa'), private_key: 'no key' }})), told(() => connect({{ ...key('none'), rsa_key: '/none/there' }})));
  console.log(told(() => connect({{ ...key('rsa'), host: 'blocked.test' }})), told(() => connect({{ ...key('rsa'), host: '10.0.0.1' }})), told(() => connect({{ ...key('rsa'), port: 1 }})));
  console.log(told(() => connect()), told(() => connect({{}})), told(() => connect({{ ...key('rsa'), port: 'x' }})), told(() => connect({{ ...key('rsa'), timeout: 'x' }})));
}}"
    );
    let none = "there is no connection: ssh.connect() comes before ssh.run()";
    let unable = |method: &str| {
        format!(
            "GoError: ssh: handshake failed: ssh: unable to authenticate, attempted methods [none {method}], no supported methods remain"
        )
    };
    let locked = "GoError: ssh: this private key is passphrase protected GoError: x509: decryption password incorrect"
        .to_owned();
    for engine in engines() {
        let expect = [
            format!("GoError: ssh.connect() in the init context is not supported true GoError: {none}"),
            "ed25519 ed25519".to_owned(),
            "ecdsa ecdsa".to_owned(),
            "rsa rsa".to_owned(),
            "rsa_pem rsa_pem".to_owned(),
            "rsa_pkcs8 rsa_pkcs8".to_owned(),
            locked.clone(),
            "in\n".to_owned(),
            locked.clone(),
            "in\n".to_owned(),
            "one\n 300000".to_owned(),
            "GoError: Process exited with status 3: why GoError: Process exited with status 4 GoError: Process exited with status 143 from signal TERM still\n".to_owned(),
            format!("{} GoError: {none}", unable("publickey")),
            unable("password"),
            "GoError: ssh: the private key can't be read GoError: open /none/there: no such file or directory".to_owned(),
            "GoError: hostname (blocked.test) is in a blocked pattern (blocked.test) GoError: IP (10.0.0.1) is in a blacklisted range (10.0.0.0/8) GoError: dial tcp 127.0.0.1:1: connect: connection refused".to_owned(),
            "GoError: ssh.connect() takes an object with host, username and what proves it GoError: ssh.connect(): there is no host GoError: ssh.connect(): x is no port: they are 1 to 65535 GoError: ssh.connect(): x is no timeout: \"10s\", or milliseconds up to an hour".to_owned(),
        ];
        check(engine, &text, &env(keys.path(), port), &expect.each_ref().map(String::as_str));
    }
}

/// A server that says nothing is given up, and one that goes away is told of.
#[test]
fn silence_and_hosts_that_go() {
    let keys = tempfile::tempdir().unwrap();
    let (_server, port) = sshd(keys.path());
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let text = format!(
        r"{HEAD}
export default function () {{
  console.log(told(() => connect({{ ...key('ed25519'), port: {}, timeout: 200 }})));
  connect(key('ed25519'));
  console.log(told(() => run('kill -9 $PPID; sleep 60')));
  console.log(told(() => run('true')).startsWith('GoError: '));
  connect(key('ed25519'));
  console.log(run('echo back'));
}}",
        silent.local_addr().unwrap().port()
    );
    for engine in engines() {
        let folder = tempfile::tempdir().unwrap();
        let outcome = run(&mut script(&folder, engine, &text, &env(keys.path(), port)));
        let logged = logged(&outcome.stderr);
        assert!(logged[0].starts_with("GoError: ssh: no connection to far.test:"), "{engine}: {logged:?}");
        assert!(logged[0].ends_with(" within 200ms"), "{engine}: {logged:?}");
        assert!(logged[1].starts_with("GoError: wait: remote command exited without"), "{engine}: {logged:?}");
        assert_eq!(logged[2..], ["true", "back\n"], "{engine}: {}", outcome.stderr);
        // What was given up is closed: the peer reads its end.
        let (mut peer, _) = silent.accept().unwrap();
        let mut said = Vec::new();
        _ = peer.read_to_end(&mut said);
        assert!(said.starts_with(b"SSH-2.0-"), "{engine}");
    }
}

/// Every VU has its own connection, what runs is timed, and an interrupt ends what a command is waited for.
#[test]
fn vus_times_and_interrupts() {
    let keys = tempfile::tempdir().unwrap();
    let (_server, port) = sshd(keys.path());
    let text = format!(
        r"{HEAD}
options.vus = 3; options.iterations = 3;
export default function () {{
  connect(key('ed25519'));
  console.log(run(`echo ${{__VU}}`).trim() === String(__VU));
}}"
    );
    let endless = format!(
        "{HEAD}export default function () {{ connect(key('ed25519')); console.log('runs'); run('sleep 600'); }}"
    );
    for engine in engines() {
        let folder = tempfile::tempdir().unwrap();
        let outcome = run(&mut script(&folder, engine, &text, &env(keys.path(), port)));
        assert_eq!(logged(&outcome.stderr), ["true"; 3], "{engine}: {}", outcome.stderr);
        let summary = fs::read(folder.path().join("summary.json")).unwrap();
        let summary: serde_json::Value = serde_json::from_slice(&summary).unwrap();
        assert!(summary["metrics"]["ssh_duration"]["max"].as_f64().unwrap() > 0.0, "{engine}");
        assert!(summary["metrics"]["data_sent"]["count"].as_f64().unwrap() > 1000.0, "{engine}");
        let mut command = script(&folder, engine, &endless, &env(keys.path(), port));
        let program = Running::start(command.args(["--iterations", "1"]));
        program.wait_for("runs");
        program.interrupt();
        program.interrupt();
        assert_eq!(program.end().code, 105, "{engine}");
    }
}

/// Passwords, the default key, and keys of hosts.
#[test]
fn passwords_and_hosts() {
    if !is_root() {
        missing("only root can start a server with a guest");
    }
    let keys = tempfile::tempdir().unwrap();
    let (_server, port) = sshd(keys.path());
    let (_ecdsa, ecdsa) = sshd_with(keys.path(), "host_ecdsa");
    let (_rsa, rsa) = sshd_with(keys.path(), "host_rsa");
    let text = format!(
        r"{HEAD}
export default function () {{
  const guest = {{ host: '127.0.0.1', port, username: '{GUEST}' }};
  console.log(told(() => {{ connect({{ ...guest, password: 's3cret' }}); return run('id -un'); }}).trim());
  console.log(told(() => {{ connect({{ ...guest, password: 's3cret', rsa_key: '/none', private_key: 'none' }}); return run('pwd'); }}).trim());
  console.log(told(() => connect({{ ...guest, password: 'S3cret' }})));
  console.log(told(() => {{ connect({{ host: '127.0.0.1', port, username }}); return run('printf home'); }}));
  console.log(told(() => {{ connect({{ ...key('ed25519'), port: {ecdsa} }}); return run('printf ecdsa'); }}));
  console.log(told(() => connect({{ ...key('ed25519'), port: {rsa} }})));
}}"
    );
    for engine in engines() {
        let folder = tempfile::tempdir().unwrap();
        let outcome = run(&mut at_home(script(&folder, engine, &text, &env(keys.path(), port)), keys.path()));
        let expect = [
            GUEST,
            "/tmp",
            "GoError: ssh: handshake failed: ssh: unable to authenticate, attempted methods [none password], no supported methods remain",
            "home",
            "ecdsa",
            "GoError: ssh: handshake failed: the server has none but an RSA key of its own, which is not supported",
        ];
        assert_eq!(logged(&outcome.stderr), expect, "{engine}: {}", outcome.stderr);
        assert!(!outcome.stderr.contains("s3cret") && !outcome.stderr.contains("S3cret"), "{engine}");
    }
}

/// An iteration that is cut off leaves neither its connection nor its command.
#[test]
fn what_is_cut_off_leaves_nothing() {
    let keys = tempfile::tempdir().unwrap();
    let (_server, port) = sshd(keys.path());
    let text = format!(
        r"{HEAD}
options.scenarios = {{
  cut: {{ executor: 'constant-vus', vus: 3, duration: '2s', gracefulStop: '0s' }},
  after: {{ executor: 'shared-iterations', startTime: '3s', exec: 'after' }},
}};
const established = `:${{port.toString(16).toUpperCase().padStart(4, '0')}} [0-9A-F:]* 01 `;
export default function () {{ connect(key('ed25519')); run('sleep 600'); }}
export function after() {{
  connect(key('ed25519'));
  console.log(run(`for i in $(seq 100); do n=$(grep -c ' 0100007F${{established}}' /proc/net/tcp); [ $n = 1 ] && break; sleep 0.1; done; echo $n`).trim());
}}"
    );
    for engine in engines() {
        check(engine, &text, &env(keys.path(), port), &["1"]);
    }
}

/// Thirty VUs at once.
#[test]
fn many_vus() {
    let keys = tempfile::tempdir().unwrap();
    let (_server, port) = sshd(keys.path());
    let text = format!(
        r"{HEAD}
options.scenarios = {{ all: {{ executor: 'per-vu-iterations', vus: 30, iterations: 1 }} }};
options.thresholds = {{ checks: ['rate==1'], iterations: ['count==30'] }};
export default function () {{
  connect({{ ...key('ed25519'), timeout: '50s' }});
  check(run('true'), {{ 'nothing is written': (text) => text === '' }});
}}"
    );
    for engine in engines() {
        check(engine, &text, &env(keys.path(), port), &[]);
    }
}
