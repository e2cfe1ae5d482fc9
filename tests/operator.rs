//! The image, and what Kubernetes and k6-operator do with it: assembled without a container engine, entered with `chroot` or
//! `unshare`, the operator's protocol replayed in it, and the shell lines of the manifests run.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::needs;
use crate::peers::free_port;
use crate::program::{self, Outcome, Running, run};
use crate::server;

/// A file of `deploy/`.
fn deploy(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy").join(name)
}

/// The root file system of the image.
struct Image {
    folder: TempDir,
}

impl Image {
    fn assemble() -> Self {
        for tool in ["unshare", "chroot", "ldd", "install"] {
            needs::program(&[tool], "Debian: util-linux, coreutils, libc-bin");
        }
        let folder = tempfile::tempdir().expect("a folder can be made");
        let image = Self { folder };
        let mut command = program::command(Path::new("/bin/sh"), image.folder.path());
        command.arg(deploy("assemble.sh")).arg(env!("CARGO_BIN_EXE_volley")).arg(image.root());
        let outcome = run(&mut command);
        assert_eq!((outcome.code, outcome.stderr.as_str()), (0, ""), "{}", outcome.stdout);
        image
    }

    fn root(&self) -> PathBuf {
        self.folder.path().join("root")
    }

    /// A volume with this file, which everybody may write to.
    fn mount(&self, path: &str, text: &str) {
        let path = self.root().join(path);
        let folder = path.parent().expect("it is in a folder");
        fs::create_dir_all(folder).expect("a folder can be made");
        let all = std::os::unix::fs::PermissionsExt::from_mode(0o777);
        fs::set_permissions(folder, all).expect("a folder can be opened");
        fs::write(path, text).expect("a file can be written");
    }

    /// A command of the container.
    fn command(&self, args: &[&str]) -> Command {
        let mut command = program::command(Path::new("/bin/sh"), self.folder.path());
        command.arg(deploy("enter.sh")).arg(self.root()).args(args);
        command.env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin").env("HOME", "/home/k6");
        command
    }

    fn run(&self, args: &[&str]) -> Outcome {
        run(&mut self.command(args))
    }
}

/// One of the pods that make load, with its REST API.
struct Runner {
    port: u16,
    running: Running,
}

impl Runner {
    /// As the operator starts it: its own flags, those of the user, the script, and its own again.
    fn start(image: &Image, engine: &str, own: &[&str], args: &[&str], nth: usize) -> Self {
        let port = free_port();
        let (address, instance) = (format!("--address=127.0.0.1:{port}"), format!("instance_id={nth}"));
        let all = [
            &["k6", "run", "--quiet"][..],
            own,
            &["--log-format=raw", "--js-engine", engine],
            args,
            &["/test/test.js", &address, "--paused", "--tag", &instance, "--tag", "testrun_name=test"],
        ];
        Self { port, running: Running::start(&mut image.command(&all.concat())) }
    }

    fn ask(&self, method: &str, path: &str, body: &str) -> Option<(u16, Value)> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        let length = body.len();
        let head = "Content-Type: application/json\r\nConnection: close";
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\n{head}\r\nContent-Length: {length}\r\n\r\n{body}"
        )
        .ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        Some((head.split(' ').nth(1)?.parse().ok()?, serde_json::from_str(body).unwrap_or(Value::Null)))
    }

    /// What the starter and the stopper send; the attributes of the answer.
    fn patch(&self, stopped: bool) -> Value {
        let body =
            json!({"data": {"attributes": {"paused": false, "stopped": stopped}, "id": "default", "type": "status"}});
        let (status, answer) = self.ask("PATCH", "/v1/status", &body.to_string()).expect("the API answers");
        assert_eq!(status, 200, "{answer}");
        answer["data"]["attributes"].clone()
    }

    /// Asks as the probes and the controller do, until an attribute of the status is this.
    fn wait_for(&self, attribute: &str, expect: &Value) {
        let begun = Instant::now();
        let mut last = Value::Null;
        while begun.elapsed() < Duration::from_secs(60) {
            if let Some((200, answer)) = self.ask("GET", "/v1/status", "") {
                last = answer["data"]["attributes"].clone();
                if last[attribute] == *expect {
                    return;
                }
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("`{attribute}` never was {expect}: {last}");
    }

    fn end(self, code: i32) -> Outcome {
        let outcome = self.running.end();
        assert_eq!(outcome.code, code, "{}\n{}", outcome.stdout, outcome.stderr);
        outcome
    }
}

/// The initializer's script: is there a k6, an archive, what it requires, and no error in the log.
const INITIALIZER: &str = r#"
    if ! command -v k6 > /dev/null; then echo 'level=error msg="there is no k6"' >&2; exit 127; fi
    mkdir -p "$(dirname /tmp/test.js.archived.tar)"
    k6 archive /test/test.js -e BASE_URL="$BASE_URL" -O /tmp/test.js.archived.tar --tag source=operator --vus 3 --summary-export x.json \
      2> /tmp/k6logs || { cat /tmp/k6logs; exit 1; }
    k6 inspect --execution-requirements /tmp/test.js.archived.tar 2> /tmp/k6logs
    if grep -q 'level.*error' /tmp/k6logs; then cat /tmp/k6logs; exit 1; fi"#;

const SCRIPT: &str = "import exec from 'k6/execution';
    import http from 'k6/http';
    export const options = { vus: 3, iterations: 7, thresholds: { iterations: ['count>0'] } };
    export function setup() { return { from: 'setup' }; }
    export default function (data) {
        const { status } = http.get(`${__ENV.BASE_URL}/text`);
        console.log(`iteration ${exec.scenario.iterationInTest} ${status} ${data ? data.from : 'none'}`);
    }
    export function teardown() { console.log('torn down'); }";

#[test]
fn the_image_has_what_the_operator_needs() {
    let image = Image::assemble();
    let outcome = image.run(&[
        "sh",
        "-c",
        "id -u; pwd; command -v k6; command -v volley; echo x > /dev/null && echo y > /tmp/file && cat /tmp/file",
    ]);
    assert_eq!(outcome.stdout, "12345\n/home/k6\n/usr/bin/k6\n/usr/bin/volley\ny\n", "{}", outcome.stderr);
    let version = image.run(&["k6", "version"]);
    assert!(version.stdout.starts_with("k6 v2."), "{}", version.stdout);

    image.mount("test/test.js", SCRIPT);
    let outcome = run(image.command(&["sh", "-c", INITIALIZER]).env("BASE_URL", server::url()));
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    let requirements: Value = serde_json::from_str(&outcome.stdout).expect("the log of the pod is JSON");
    assert_eq!((&requirements["maxVUs"], &requirements["totalDuration"]), (&json!(3), &json!("10m30s")));
    assert_eq!(requirements["thresholds"]["iterations"], json!(["count>0"]));

    // What is wrong with a script is found here.
    image.mount("test/test.js", "export const options = { vus: 'many' }; export default function () {}");
    let outcome = image.run(&["sh", "-c", INITIALIZER]);
    assert_eq!(outcome.code, 1);
    assert!(outcome.stdout.contains("level=error") && outcome.stdout.contains("many"), "{}", outcome.stdout);
}

#[test]
fn the_operator_runs_a_test_on_two_pods() {
    let image = Image::assemble();
    image.mount("test/test.js", SCRIPT);
    let base = format!("BASE_URL={}", server::url());
    for engine in program::engines() {
        let runners: Vec<Runner> = (1..=2)
            .map(|nth| {
                let segment = format!("--execution-segment={}:{}", ["0", "1/2"][nth - 1], ["1/2", "1"][nth - 1]);
                let own = [&segment, "--execution-segment-sequence=0,1/2,1"];
                Runner::start(&image, engine, &own, &["-e", &base], nth)
            })
            .collect();
        // The probes have an answer while the pods wait; then all are started.
        runners.iter().for_each(|runner| runner.wait_for("status", &json!(4)));
        let begun: Vec<Value> = runners.iter().map(|runner| runner.patch(false)["stopped"].clone()).collect();
        assert_eq!(begun, [false, false]);
        let mut seen = Vec::new();
        for runner in runners {
            let outcome = runner.end(0);
            assert_eq!(outcome.stderr.matches("torn down").count(), 1, "{}", outcome.stderr);
            seen.extend(outcome.stderr.lines().filter(|line| line.starts_with("iteration")).map(str::to_owned));
        }
        seen.sort_unstable();
        assert_eq!(seen, (0..7).map(|at| format!("iteration {at} 200 setup")).collect::<Vec<_>>(), "{engine}");
    }
}

#[test]
fn the_operator_sets_up_once_and_looks_at_the_end() {
    let image = Image::assemble();
    image.mount("test/test.js", SCRIPT);
    let base = format!("BASE_URL={}", server::url());
    let args = ["-e", &base, "--no-setup", "--no-teardown", "--linger"];
    let runner = Runner::start(&image, program::engine(), &[], &args, 1);
    runner.wait_for("status", &json!(4));
    let (status, answer) = runner.ask("POST", "/v1/setup", "").expect("the API answers");
    assert_eq!((status, &answer["data"]["attributes"]["data"]), (200, &json!({"from": "setup"})));
    let (status, _) = runner.ask("PUT", "/v1/setup", r#"{"from":"operator"}"#).expect("the API answers");
    assert_eq!(status, 200);
    runner.patch(false);
    runner.running.wait_for("200 operator");
    runner.wait_for("running", &json!(false));
    let (status, _) = runner.ask("POST", "/v1/teardown", "").expect("the API answers");
    assert_eq!(status, 200);
    // Over and waiting: it is stopped in name, and has its result.
    assert_eq!(runner.patch(true)["stopped"], true);
    runner.running.interrupt();
    let outcome = runner.end(0);
    assert_eq!(outcome.stderr.matches("torn down").count(), 1, "{}", outcome.stderr);
}

#[test]
fn a_pod_says_by_its_exit_code_how_its_part_went() {
    let image = Image::assemble();
    image.mount("test/test.js", SCRIPT);
    let base = format!("BASE_URL={}", server::url());
    let start = |args: &[&str]| {
        let runner = Runner::start(&image, program::engine(), &[], &[&["-e", &base][..], args].concat(), 1);
        runner.wait_for("status", &json!(4));
        runner
    };
    let stopped = start(&[]);
    assert_eq!(stopped.patch(true)["stopped"], true);
    stopped.end(103);
    image.mount("test/test.js", &SCRIPT.replace("count>0", "count>1000"));
    let crossed = start(&[]);
    crossed.patch(false);
    crossed.end(99);
}

/// The lists that stand behind `args:` in a manifest, in their order.
fn arguments(manifest: &str) -> Vec<Vec<String>> {
    let lines = manifest.lines().filter_map(|line| line.trim().strip_prefix("args: "));
    lines.map(|list| serde_json::from_str(list).expect("a list of texts")).collect()
}

#[test]
fn the_job_without_an_operator_comes_to_one_result() {
    let image = Image::assemble();
    let manifest = fs::read_to_string(deploy("job.yaml")).expect("there is a manifest");
    let [instance, merge] = &arguments(&manifest)[..] else { panic!("there are two jobs: {manifest}") };
    image.mount("results/.keep", "");
    let script = SCRIPT.replace("vus: 3, iterations: 7", "vus: 8, iterations: 19").replace("count>0", "count==19");
    image.mount("scripts/test.js", &script);
    // The second Job is there from the start, and waits for the results of the first.
    let merging = Running::start(&mut image.command(&["sh", "-c", &merge[0]]));
    let pods: Vec<Running> = (0..8)
        .map(|index: u32| {
            let mut command = image.command(&["sh", "-c", &instance[0]]);
            Running::start(command.env("JOB_COMPLETION_INDEX", index.to_string()).env("BASE_URL", server::url()))
        })
        .collect();
    for pod in pods {
        let outcome = pod.end();
        // A threshold on a count does not hold for an eighth; the Job has to go on.
        assert_eq!(outcome.code, 0, "{}\n{}", outcome.stdout, outcome.stderr);
    }
    let outcome = merging.end();
    assert_eq!(outcome.code, 0, "{}\n{}", outcome.stdout, outcome.stderr);
    assert!(outcome.stdout.contains("✓ 'count==19' count=19"), "{}", outcome.stdout);
    assert!(image.root().join("results/report.html").exists());
    assert!(manifest.contains(&format!("completions: {}", 8)) && instance[0].contains("--instances 8"));
}

#[test]
fn manifests_name_one_image_and_one_script() {
    let read = |name: &str| fs::read_to_string(deploy(name)).expect("there is a manifest");
    for name in ["job.yaml", "testrun.yaml", "compose.yaml"] {
        let text = read(name);
        let images: Vec<&str> =
            text.lines().filter_map(|line| line.trim().trim_start_matches("- ").strip_prefix("image: ")).collect();
        assert!(!images.is_empty() && images.iter().all(|image| *image == "volley"), "{name}: {images:?}");
    }
    for name in ["job.yaml", "testrun.yaml"] {
        assert!(read(name).contains("name: volley-script"), "{name}");
    }
    // The Dockerfile makes of its base what `assemble.sh` makes of its own.
    for name in ["Dockerfile", "assemble.sh"] {
        assert!(read(name).contains("rootfs.sh"), "{name}");
    }
    assert!(read("Dockerfile").contains("USER 12345") && read("rootfs.sh").contains("12345"));
}
