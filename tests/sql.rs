//! `k6/x/sql` beside Debian's PostgreSQL, on every engine of the build: statements, values of all types, options, passwords and
//! TLS, and what becomes of statements when the server refuses, leaves, hangs, or their iteration is cut off.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::Path;

use crate::procedure_services::{Session, postgres};
use crate::program::{Running, engines, run};
use crate::redis::{certificates, check, logged, script};

/// What every script begins with.
const HEAD: &str = r"
import sql from 'k6/x/sql';
import driver from 'k6/x/sql/driver/postgres';
const open = (options, more = '') => sql.open(driver, `${__ENV.DB}?sslmode=disable${more}`, options);
const told = (work) => { try { return work(); } catch (error) { return String(error).replace(/127[.\d]+:\d+->127[.\d]+:\d+/, 'A->B'); } };
const say = (...values) => console.log(...values.map((value) => typeof value === 'string' ? value : JSON.stringify(value)));
";

fn with_head(text: &str) -> String {
    format!("{HEAD}{text}")
}

#[test]
fn statements_and_values() {
    let folder = tempfile::tempdir().unwrap();
    let (_server, url) = postgres(folder.path());
    let text = with_head(
        r"
import * as ns from 'k6/x/sql';
const db = open();
const early = told(() => db.query('SELECT 1 AS one'));
export function setup() { return db.query(`SELECT '2024-02-29 15:04:05.5+00'::timestamptz AS z`)[0]; }
export default function ({ z }) {
  say(early, Object.keys(ns).sort(), ns.open === sql.open, typeof driver, z);
  say(db.exec('DROP TABLE IF EXISTS t; CREATE TABLE t (id serial PRIMARY KEY, name text)').rowsAffected());
  const result = db.exec('INSERT INTO t (name) VALUES ($1), ($2)', 'a', null);
  say(result.rowsAffected(), told(() => result.lastInsertId()));
  say(db.query('SELECT * FROM t ORDER BY id'), db.query('SELECT * FROM t WHERE id = 99'));
  say(db.query('SELECT 1 AS a, 2 AS a, 3 AS __proto__')[0].a, db.query('SELECT 1 AS x; SELECT 2 AS y'), db.query(''));
  say(db.exec('UPDATE t SET name = $1', 'b').rowsAffected(), db.query('DELETE FROM t RETURNING id').length);
  say(db.query('SELECT 1::int2 AS a, -2::int4 AS b, 3::int8 AS c, 1.5::float4 AS d, 1e300::float8 AS e, true AS f, false AS g, NULL AS h')[0]);
  const texts = db.query(`SELECT 'é'::text AS a, 'v'::varchar AS b, 'c'::char(3) AS c, 'q'::\x22char\x22 AS d`)[0];
  say(texts);
  const bytes = db.query(`SELECT 1.10::numeric AS n, '{\x22a\x22:1}'::jsonb AS j, ARRAY[1,2] AS a, '\\x00ff'::bytea AS b, '5 min'::interval AS i, 'x'::name AS m`)[0];
  say(bytes.b, String(bytes.n), `${bytes.j}`, bytes.a + '', String(bytes.i), String(bytes.m), String.fromCharCode(...bytes.n), Array.isArray(bytes.n), Object.keys(bytes.b));
  const time = db.query(`SELECT '2024-02-29 15:04:05.25'::timestamp AS t, '2024-02-29'::date AS d, '2024-02-29 15:04:05+00'::timestamptz AS z, '03:04:05'::time AS c, 'infinity'::timestamp AS i`)[0];
  say(String(time.t), String(time.d), time.z.unix(), time.z.unixMilli(), time.t.format('02/01/06 15h04'), time.t, time.c.hour(), String(time.i));
  say([time.t.year(), time.t.month(), time.t.day(), time.t.weekday(), time.t.yearDay(), time.t.minute(), time.t.second(), time.t.nanosecond()]);
  const given = ['$1::int8 AS a', '$2::float8 AS b', '$3::text AS c', '$4::bool AS d', '$5::text AS e', '$6::timestamptz AS f', '$7::bytea AS g', '$8::numeric AS h', '$9::text AS i'];
  const back = db.query(`SELECT ${given}`, 9007199254740991, 0.1, 'it\'s', true, undefined, new Date(86400000), new Uint8Array([1, 0]), 12345678901234567890n, 5)[0];
  say(back.a, back.b, back.c, back.d, back.e, back.f.unix(), back.g, String(back.h), back.i);
  say(told(() => db.query('SELECT $1', [1])));
  say(told(() => db.query('SELECT $1', {})));
  say(told(() => db.query('SELECT $1', () => 1)).startsWith('GoError: sql: converting argument $1 type: unsupported type func'));
  say(told(() => db.query('SELECT $1::int', 1, 2)));
  say(told(() => db.query('SELECT nope')));
  say(told(() => db.query('SELECT\n1 FROM nope', )));
  say(told(() => db.exec('INSERT INTO t (id) VALUES ($1)', 'x')));
  say(told(() => db.query('COPY t FROM STDIN')), told(() => db.query('SELECT 1/(3-i) AS q FROM generate_series(1, 5) AS i')));
  say(db.query('SELECT i, repeat($1, 1000) AS r FROM generate_series(1, 3000) AS i', 'x').map((row) => row.r.length).reduce((a, b) => a + b));
  db.close(); db.close();
  say(told(() => db.query('SELECT 1')));
}",
    );
    for engine in engines() {
        check(engine, &text, &[("DB", url.clone())], STATEMENTS);
    }
}

const STATEMENTS: &[&str] = &[
    r#"GoError: statements in the init context are not supported: use setup() or the VU function ["open"] true symbol 2024-02-29T15:04:05.5Z"#,
    r#"0"#,
    r#"2 GoError: LastInsertId is not supported by this driver"#,
    r#"[{"id":1,"name":"a"},{"id":2,"name":null}] []"#,
    r#"2 [{"x":1}] []"#,
    r#"2 2"#,
    r#"{"a":1,"b":-2,"c":3,"d":1.5,"e":1e+300,"f":true,"g":false,"h":null}"#,
    r#"{"a":"é","b":"v","c":"c  ","d":"q"}"#,
    r#"[0,255] 1.10 {"a": 1} {1,2} 00:05:00 x 1.10 true ["0","1"]"#,
    r#"2024-02-29 15:04:05.25 +0000 +0000 2024-02-29 00:00:00 +0000 +0000 1709219045 1709219045000 29/02/24 15h04 "2024-02-29T15:04:05.25Z" 3 infinity"#,
    r#"[2024,2,29,4,60,4,5,250000000]"#,
    r#"9007199254740991 0.1 it's true null 86400 [1,0] 12345678901234567890 5"#,
    r#"GoError: sql: converting argument $1 type: unsupported type []interface {}, a slice of interface"#,
    r#"GoError: sql: converting argument $1 type: unsupported type map[string]interface {}, a map"#,
    r#"true"#,
    r#"GoError: pq: got 2 parameters but the statement requires 1"#,
    r#"GoError: pq: column "nope" does not exist at column 8 (42703)"#,
    r#"GoError: pq: relation "nope" does not exist at position 2:8 (42P01)"#,
    r#"GoError: pq: invalid input syntax for type integer: "x" (22P02)"#,
    r#"GoError: pq: COPY FROM STDIN is not offered: use INSERT GoError: pq: division by zero (22012)"#,
    r#"3000000"#,
    r#"GoError: sql: database is closed"#,
];

#[test]
fn every_option_has_its_effect() {
    let folder = tempfile::tempdir().unwrap();
    let (_server, url) = postgres(folder.path());
    let text = with_head(
        r"
import { sleep } from 'k6';
const id = (db) => db.query('SELECT pg_backend_pid() AS id')[0].id;
const count = (name) => look.query('SELECT count(*) AS n FROM pg_stat_activity WHERE application_name = $1', name)[0].n;
const gone = (name) => { for (let i = 0; i < 200 && count(name) > 0; i++) sleep(0.05); return count(name); };
const look = open();
export default function () {
  const kept = open({}, '&application_name=kept');
  say(id(kept) === id(kept), count('kept'));
  const none = open({ max_idle_conns: 0 }, '&application_name=none');
  say(id(none) !== id(none), gone('none'));
  const short = open({ conn_max_lifetime: '100ms' }, '&application_name=short');
  const first = id(short);
  sleep(0.2);
  say(first !== id(short));
  const idle = open({ conn_max_idle_time: '100ms' }, '&application_name=idle');
  id(idle);
  say(gone('idle'));
  // One connection: what is begun there goes on there.
  const one = open({ max_open_conns: 1 });
  one.exec('CREATE TEMP TABLE mine (x int)');
  one.exec('BEGIN'); one.exec('INSERT INTO mine VALUES (1)'); one.exec('ROLLBACK');
  say(one.query('SELECT count(*) AS n FROM mine')[0].n);
  say(open({}, '&search_path=of_mine').query('SHOW search_path')[0].search_path);
  say(told(() => open({ conn_max_lifetime: 'x' })));
  say(told(() => open({ conn_max_idle_time: '5' })));
  say(told(() => open({ max_open_conns: 'x' })));
  say(told(() => open(5)));
  say(told(() => sql.open('postgres', 'user=u')));
  say(told(() => sql.open(Symbol('oracle'), 'user=u')));
  say(told(() => sql.open({ valueOf: () => driver }, '')));
  say(told(() => kept.queryWithTimeout('x', 'SELECT 1')));
  say(kept.queryWithTimeout('10s', 'SELECT $1::int AS x', 1), kept.execWithTimeout('1m', 'SELECT 1').rowsAffected());
}",
    );
    for engine in engines() {
        let expect = [
            "true 1",
            "true 0",
            "true",
            "0",
            "0",
            "of_mine",
            "GoError: time: invalid duration \"x\"",
            "GoError: time: missing unit in duration \"5\"",
            "GoError: invalid options: max_open_conns is string; expected a number",
            "GoError: invalid options type: int64; expected object",
            "GoError: unsupported database: invalid driver parameter type",
            "GoError: unsupported database: oracle; drivers that are offered: k6/x/sql/driver/mysql, k6/x/sql/driver/postgres, k6/x/sql/driver/sqlite3",
            "GoError: pq: the data source name has no user: postgres://user:password@host:port/database",
            "GoError: time: invalid duration \"x\"",
            r#"[{"x":1}] 1"#,
        ];
        check(engine, &text, &[("DB", url.clone())], &expect);
    }
}

#[test]
fn a_driver_that_is_not_here_says_which_are() {
    let text = r"
import sql from 'k6/x/sql';
import driver from 'k6/x/sql/driver/sqlserver';
export default function () {
  try { sql.open(driver, 'u:p@tcp(h)/db'); } catch (error) {
    const text = String(error);
    console.log(text.split(':')[1], text.includes('k6/x/sql/driver/postgres'), text.includes('\n'));
  }
}";
    for engine in engines() {
        let folder = tempfile::tempdir().unwrap();
        let outcome = run(&mut script(&folder, engine, text, &[]));
        let expect = [" the module \"k6/x/sql/driver/sqlserver\" is not offered true false"];
        assert_eq!(logged(&outcome.stderr), expect, "{engine}: {}", outcome.stderr);
    }
}

/// Lets users in as these lines of `pg_hba.conf` say.
fn let_in(folder: &Path, url: &str, lines: &str) {
    fs::write(folder.join("postgres/pg_hba.conf"), lines).unwrap();
    Session::open(url).say("SELECT pg_reload_conf()");
}

#[test]
fn passwords_of_all_kinds() {
    let folder = tempfile::tempdir().unwrap();
    let (_server, url) = postgres(folder.path());
    let setup = Session::open(&url);
    setup.say("CREATE USER scram PASSWORD 's3cret'; CREATE USER plain PASSWORD 's3cret'; CREATE USER nobody");
    setup.say("SET password_encryption = 'md5'; CREATE USER md5 PASSWORD 's3cret'");
    let lines = "host all scram all scram-sha-256\nhost all plain all password\nhost all md5 all md5\nhost all volley all trust\n";
    let_in(folder.path(), &url, lines);
    let text = with_head(
        r"
const as = (user, password) => told(() => sql.open(driver, __ENV.DB.replace(/\/\/.*@/, `//${user}:${password}@`) + '?sslmode=disable').query('SELECT current_user AS u')[0].u + '');
export default function () {
  for (const user of ['scram', 'plain', 'md5']) say(as(user, 's3cret'), as(user, 'wrong'));
  say(as('nobody', 'x').replace(/host .*, no/, 'HOST, no'));
}",
    );
    for engine in engines() {
        let wrong =
            |user: &str| format!("{user} GoError: pq: password authentication failed for user \"{user}\" (28P01)");
        let nobody = "GoError: pq: no pg_hba.conf entry for HOST, no encryption (28000)";
        let expect = [wrong("scram"), wrong("plain"), wrong("md5"), nobody.to_owned()];
        let expect: Vec<&str> = expect.iter().map(String::as_str).collect();
        check(engine, &text, &[("DB", url.clone())], &expect);
    }
}

#[test]
fn tls_as_the_mode_says() {
    let folder = tempfile::tempdir().unwrap();
    let (_server, url) = postgres(folder.path());
    let plain = [("DB", url.clone())];
    let refused = with_head("export default () => say(told(() => sql.open(driver, __ENV.DB).query('SELECT 1')));");
    for engine in engines() {
        check(engine, &refused, &plain, &["GoError: pq: SSL is not enabled on the server"]);
    }
    certificates(folder.path());
    let data = folder.path().join("postgres");
    let owner = fs::metadata(&data).unwrap();
    for (from, to) in [("cert.pem", "server.crt"), ("key.pem", "server.key"), ("ca.pem", "root.crt")] {
        fs::copy(folder.path().join(from), data.join(to)).unwrap();
        fs::set_permissions(data.join(to), fs::Permissions::from_mode(0o600)).unwrap();
        // Without root it is ours already.
        _ = chown(data.join(to), Some(owner.uid()), Some(owner.gid()));
    }
    let setup = Session::open(&url);
    setup.say("ALTER SYSTEM SET ssl_ca_file = 'root.crt'");
    setup.say("ALTER SYSTEM SET ssl = on");
    setup.say("CREATE USER shown");
    let lines =
        "hostssl all shown all cert map=m\nhostnossl all volley 127.0.0.1/32 trust\nhostssl all volley all trust\n";
    fs::write(data.join("pg_ident.conf"), "m /.* shown\n").unwrap();
    let_in(folder.path(), &url, lines);
    let text = with_head(
        r"
const files = ['ca.pem', 'client.pem', 'client-key.pem'].map((name) => encodeURIComponent(globalThis.open(`${__ENV.FOLDER}/${name}`)));
const [ca, cert, key] = files;
const at = (host, query, user = 'volley') => told(() => sql.open(driver, `postgres://${user}@${host}:${__ENV.PORT}/postgres?${query}`)
  .query('SELECT ssl AS s FROM pg_stat_ssl WHERE pid = pg_backend_pid()')[0].s);
export const options = { hosts: { localhost: '127.0.0.1', 'other.test': '127.0.0.1' } };
export default function () {
  say(at('localhost', 'sslmode=disable'), at('localhost', 'sslmode=allow'), at('localhost', 'sslmode=prefer'), at('localhost', ''), at('other.test', 'sslmode=require'));
  say(at('localhost', 'sslmode=verify-full'));
  say(at('localhost', `sslmode=verify-full&sslinline=true&sslrootcert=${ca}`), at('localhost', `sslinline=true&sslrootcert=${ca}`));
  say(at('other.test', `sslmode=verify-full&sslinline=true&sslrootcert=${ca}`));
  say(at('localhost', `sslmode=allow&sslinline=true&sslcert=${cert}&sslkey=${key}`, 'shown'), at('localhost', '', 'shown').includes('certificate'));
}",
    );
    let port = url.rsplit(':').next().unwrap().split('/').next().unwrap().to_owned();
    for engine in engines() {
        let env = [("PORT", port.clone()), ("FOLDER", folder.path().display().to_string()), ("DB", url.clone())];
        let expect = [
            "false false true true true",
            "GoError: tls: failed to verify certificate: x509: certificate signed by unknown authority",
            "true true",
            "GoError: tls: failed to verify certificate: x509: certificate is valid for localhost, not other.test",
            "true true",
        ];
        check(engine, &text, &env, &expect);
    }
}

#[test]
fn a_server_that_is_not_there_or_hangs() {
    let folder = tempfile::tempdir().unwrap();
    let (_server, url) = postgres(folder.path());
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let text = with_head(
        r"
const db = open();
const at = (place, more = '') => sql.open(driver, `postgres://u@${place}/db?sslmode=disable${more}`);
export const options = { blockHostnames: ['blocked.test'], blacklistIPs: ['10.0.0.0/8'] };
export default function () {
  say(told(() => at('127.0.0.1:1').query('SELECT 1')));
  say(told(() => at('blocked.test:5432').query('SELECT 1')));
  say(told(() => at('10.1.1.1:5432').query('SELECT 1')));
  say(told(() => at(__ENV.SILENT, '&connect_timeout=1').query('SELECT 1')).replace(/:\d+:/, ':PORT:'));
  say(told(() => at(__ENV.SILENT).queryWithTimeout('100ms', 'SELECT 1')));
  say(told(() => db.queryWithTimeout('200ms', 'SELECT pg_sleep(60)')), told(() => db.execWithTimeout('200ms', 'SELECT pg_sleep(60)')));
  // The server was told that nobody waits any more.
  let left = 1;
  for (let i = 0; i < 400 && left > 0; i++) left = db.query(`SELECT count(*) AS n, pg_sleep(0.02) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)%' AND pid <> pg_backend_pid()`)[0].n;
  say(left);
}",
    );
    for engine in engines() {
        let env = [("DB", url.clone()), ("SILENT", silent.local_addr().unwrap().to_string())];
        let expect = [
            "GoError: dial tcp 127.0.0.1:1: connect: connection refused",
            "GoError: hostname (blocked.test) is in a blocked pattern (blocked.test)",
            "GoError: IP (10.1.1.1) is in a blacklisted range (10.0.0.0/8)",
            "GoError: dial tcp 127.0.0.1:PORT: i/o timeout",
            "GoError: context deadline exceeded",
            "GoError: context deadline exceeded GoError: context deadline exceeded",
            "0",
        ];
        check(engine, &text, &env, &expect);
    }
}

#[test]
fn a_server_that_leaves_in_the_middle() {
    let text = with_head(
        r"
const db = open();
export default function () {
  db.query('SELECT 1');
  console.warn('up');
  say(told(() => db.query('SELECT pg_sleep(60)')));
  say(told(() => db.query('SELECT 1')).replace(/\d+: connect/, 'PORT: connect'));
}",
    );
    for engine in engines() {
        let home = tempfile::tempdir().unwrap();
        let (server, url) = postgres(home.path());
        let folder = tempfile::tempdir().unwrap();
        let running = Running::start(&mut script(&folder, engine, &text, &[("DB", url.clone())]));
        running.wait_for("\"up\"");
        drop(server);
        let outcome = running.end();
        let said = logged(&outcome.stderr);
        assert_eq!(said[0], "up", "{engine}: {}", outcome.stderr);
        // It may say so before it hangs up, and be gone before the statement is sent.
        let ways = ["57P0", "driver: bad connection", "reset by peer", "connection refused"];
        let is_lost = ways.iter().any(|text| said[1].contains(text));
        assert!(is_lost && said[1].starts_with("GoError: "), "{engine}: {said:?}");
        let is_gone =
            ["57P0", "connection refused", "bad connection", "reset by peer"].iter().any(|text| said[2].contains(text));
        assert!(is_gone && said[2].starts_with("GoError: "), "{engine}: {said:?}");
    }
}

#[test]
fn an_iteration_that_is_cut_off_leaves_no_session_behind() {
    let folder = tempfile::tempdir().unwrap();
    let (_server, url) = postgres(folder.path());
    let text = with_head(
        r"
export const options = { scenarios: {
  hangs: { executor: 'shared-iterations', exec: 'hangs', vus: 3, iterations: 3, maxDuration: '1s', gracefulStop: '0s' },
  looks: { executor: 'shared-iterations', exec: 'looks', startTime: '1500ms', maxDuration: '30s' },
} };
const db = open({}, '&application_name=cut');
export function hangs() { db.query('SELECT pg_sleep(60)'); console.log('it answered'); }
export function looks() {
  const look = open();
  let left = 1;
  for (let i = 0; i < 400 && left > 0; i++) left = look.query(`SELECT count(*) AS n, pg_sleep(0.02) FROM pg_stat_activity WHERE application_name = 'cut'`)[0].n;
  say(left);
}",
    );
    for engine in engines() {
        check(engine, &text, &[("DB", url.clone())], &["0"]);
    }
}

#[test]
fn vus_wait_beside_each_other_and_statements_are_timed() {
    let folder = tempfile::tempdir().unwrap();
    let (_server, url) = postgres(folder.path());
    let text = with_head(
        r"
import { check } from 'k6';
export const options = { vus: 50, iterations: 1000, thresholds: {
  'sql_duration{operation:query,status:ok,driver:postgres}': ['max>0'], 'sql_duration{operation:exec,status:error}': ['max>0'], checks: ['rate==1'] } };
const db = open({ max_open_conns: 1 });
export default function () {
  check(db.query('SELECT $1::int AS vu, pg_sleep(0.01)', __VU)[0], { 'own value': (row) => row.vu === __VU });
  if (__ITER === 0) told(() => db.exec('nonsense'));
}",
    );
    for engine in engines() {
        let folder = tempfile::tempdir().unwrap();
        let outcome = run(&mut script(&folder, engine, &text, &[("DB", url.clone())]));
        assert_eq!(outcome.code, 0, "{engine}: {}", outcome.stderr);
        let summary = fs::read(folder.path().join("summary.json")).unwrap();
        let summary: serde_json::Value = serde_json::from_slice(&summary).unwrap();
        assert_eq!(summary["metrics"]["checks"]["passes"], 1000, "{summary}");
        assert!(summary["metrics"]["data_sent"]["count"].as_f64() > Some(1000.0 * 50.0), "{summary}");
    }
}
