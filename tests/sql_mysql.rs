//! `k6/x/sql` beside Debian's MariaDB, and with SQLite, on every engine of the build.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::needs;
use crate::peers::free_port;
use crate::procedure_services::{Service, service, until};
use crate::program::{Running, engines, run};
use crate::redis::{certificates, check, logged, script};

/// A server, the port it listens on, and the way to say something to it.
pub struct Mariadb {
    server: Service,
    pub port: u16,
    socket: String,
}

impl Mariadb {
    pub fn start(folder: &Path) -> Self {
        let data = folder.join("mariadb");
        let null = |command: &mut Command| {
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        };
        let mut install = Command::new(needs::program(&["mariadb-install-db"], "Debian: mariadb-server"));
        install.args(["--no-defaults", "--skip-test-db", "--auth-root-authentication-method=normal", "--user=root"]);
        null(install.arg(format!("--datadir={}", data.display())));
        assert!(install.status().unwrap().success(), "mariadb-install-db failed");
        certificates(folder);
        let (port, socket) = (free_port(), folder.join("s").display().to_string());
        let mut command = Command::new(needs::program(&["mariadbd"], "Debian: mariadb-server"));
        command.args(["--no-defaults", "--bind-address=127.0.0.1", "--user=root", "--skip-name-resolve"]);
        command.args(["--innodb-flush-log-at-trx-commit=0", "--max-connections=500", &format!("--port={port}")]);
        command.args([format!("--datadir={}", data.display()), format!("--socket={socket}")]);
        for (option, file) in [("ca", "ca.pem"), ("cert", "cert.pem"), ("key", "key.pem")] {
            command.arg(format!("--ssl-{option}={}", folder.join(file).display()));
        }
        let server = Self { server: service(&mut command), port, socket };
        until("MariaDB", || server.try_say("SELECT 1"));
        server.say("CREATE DATABASE db; CREATE USER u@'%' IDENTIFIED BY 's3cret'; GRANT ALL ON *.* TO u@'%'");
        server
    }

    fn try_say(&self, sql: &str) -> bool {
        let mut client = Command::new(needs::program(&["mariadb"], "Debian: mariadb-server"));
        client.args(["--no-defaults", "-u", "root", "-S", &self.socket, "-e", sql]);
        client.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().success()
    }

    fn say(&self, sql: &str) {
        assert!(self.try_say(sql), "{sql}");
    }

    pub fn dsn(&self) -> String {
        format!("u:s3cret@tcp(127.0.0.1:{})/db", self.port)
    }
}

/// What every script begins with.
const HEAD: &str = r"
import sql from 'k6/x/sql';
import mysql, { addTLS, loadTLS, TLS_1_2, TLS_1_3 } from 'k6/x/sql/driver/mysql';
import sqlite from 'k6/x/sql/driver/sqlite3';
const open = (more = '', options) => sql.open(mysql, `${__ENV.DB}${more}`, options);
const told = (work) => { try { return work(); } catch (error) { return String(error).replace(/tcp [\d.]+:\d+: /, 'tcp A: '); } };
const say = (...values) => console.log(...values.map((value) => typeof value === 'string' ? value : JSON.stringify(value)));
";

fn with_head(text: &str) -> String {
    format!("{HEAD}{text}")
}

/// One server for all of it: making one takes seconds.
#[test]
fn mysql_beside_mariadb() {
    let folder = tempfile::tempdir().unwrap();
    let server = Mariadb::start(folder.path());
    statements_and_options(&server);
    passwords_and_tls(&server, folder.path());
    hangs(&server);
    leaves(server);
}

fn statements_and_options(server: &Mariadb) {
    let text = with_head(
        r"
import * as driver from 'k6/x/sql/driver/mysql';
const db = open();
export default function () {
  say(typeof mysql, Object.keys(driver).sort());
  say(db.exec('DROP TABLE IF EXISTS t').rowsAffected(), db.exec('CREATE TABLE t (id int auto_increment PRIMARY KEY, name varchar(20), UNIQUE (name))').rowsAffected());
  const result = db.exec('INSERT INTO t (name) VALUES (?), (?)', 'é', null);
  say(result.rowsAffected(), result.lastInsertId(), db.exec(`INSERT INTO t (name) VALUES ('x')`).lastInsertId(), db.exec('SELECT 1').lastInsertId());
  const rows = db.query('SELECT * FROM t ORDER BY id');
  say(rows[0].id, rows[0].name, String(rows[0].name), rows[1].name, rows.length, String.fromCharCode(...rows[2].name));
  say(db.query('SELECT * FROM t WHERE id > ?', 99), db.query('UPDATE t SET name = name'), db.exec(`UPDATE t SET name = 'y' WHERE id = ?`, 3).rowsAffected());
  // Texts and prepared statements show the same.
  const types = `CAST(1 AS SIGNED) a, CAST(-2 AS INTEGER) b, 1.50 c, 2.5e0 d, CAST('2024-02-29' AS DATE) e, CAST('2024-02-29 15:04:05.25' AS DATETIME(2)) f,
    CAST('-30:04:05' AS TIME) g, NULL h, CAST('a' AS BINARY) i, JSON_OBJECT('k', 1) j, CAST(18446744073709551615 AS UNSIGNED) k, true l, b'101' m`;
  for (const row of [db.query(`SELECT ${types}`)[0], db.query(`SELECT ${types} WHERE 1 = ?`, 1)[0]]) {
    say(row.a, row.b, String(row.c), row.d, String(row.e), String(row.f), String(row.g), row.h, String(row.i), String(row.j), row.k, row.l, row.m);
  }
  for (const row of [open('?parseTime=true').query(`SELECT ${types}`)[0], open('?parseTime=true').query(`SELECT ${types} WHERE 1 = ?`, 1)[0]]) say(String(row.e), String(row.f), row.f.unix(), String(row.g));
  const back = db.query('SELECT ? a, ? b, ? c, ? d, ? e, ? f, ? g, ? h', 9007199254740991, 0.1, 'it\'s', true, undefined, new Date(86400250), new Uint8Array([1, 0]), 12345678901234567890n)[0];
  say(back.a, back.b, String(back.c), back.d, back.e, String(back.f), back.g, String(back.h));
  const inline = open('?interpolateParams=true').query('SELECT ? a, ? b, ? c, ? d, ? e', 'it\'s \\', -5, null, new Uint8Array([0, 255]), new Date(0))[0];
  say(String(inline.a), inline.b, inline.c, inline.d, String(inline.e));
  say(told(() => db.query('SELECT ?', 1, 2)), told(() => db.query('SELECT ?', [1])));
  say(told(() => db.query('SELECT nope')));
  say(told(() => db.query('SELEC ?', 1)).slice(0, 49), told(() => db.exec(`INSERT INTO t (name) VALUES ('y')`)));
  say(told(() => db.exec('SELECT 1; SELECT 2')).slice(0, 27), open('?multiStatements=true').query('SET @x = 1; SELECT @x AS x; SELECT 3 AS y'));
  say(told(() => db.exec(`LOAD DATA LOCAL INFILE '/etc/passwd' INTO TABLE t`)), db.query('SELECT 1 AS one'));
  const found = (more) => open(more).exec('UPDATE t SET name = name WHERE id < 3').rowsAffected();
  say(found(''), found('?clientFoundRows=true'), Object.keys(open('?columnsWithAlias=true').query('SELECT id FROM t LIMIT 1')[0]));
  say(String(open(`?sql_mode=%27ANSI%27&charset=latin1&collation=latin1_bin`).query(`SELECT CONCAT(@@collation_connection, ' ', @@sql_mode LIKE '%ANSI%') AS m`)[0].m));
  say(told(() => open('?maxAllowedPacket=100').query(`SELECT '${'x'.repeat(200)}'`)), told(() => open('?nope=1').query('SELECT 1')).slice(0, 59));
  say(told(() => open('', { max_open_conns: 'x' })), told(() => sql.open(mysql, 'nothing')));
  const one = open('', { max_open_conns: 1 });
  one.exec('CREATE TEMPORARY TABLE mine (x int)');
  one.exec('BEGIN'); one.exec('INSERT INTO mine VALUES (1)'); one.exec('ROLLBACK');
  say(one.query('SELECT count(*) AS n FROM mine')[0].n, db.query('SELECT seq, repeat(?, 1000) AS r FROM seq_1_to_3000', 'x').map((row) => row.r.length).reduce((a, b) => a + b));
  const long = 'ab'.repeat(9000000);
  say(String(open().query('SELECT length(?) AS n', 'x'.repeat(3000000))[0].n), told(() => db.query('SELECT ?', long)).slice(0, 15));
  db.close();
  say(told(() => db.query('SELECT 1')));
}",
    );
    for engine in engines() {
        let expect = [
            r#"symbol ["TLS_1_0","TLS_1_1","TLS_1_2","TLS_1_3","addTLS","loadTLS"]"#,
            "0 0",
            "2 1 3 0",
            "1 [195,169] é null 3 x",
            "[] [] 1",
            "1 -2 1.50 2.5 2024-02-29 2024-02-29 15:04:05.25 -30:04:05 null a {\"k\": 1} 18446744073709552000 1 [5]",
            "1 -2 1.50 2.5 2024-02-29 2024-02-29 15:04:05.25 -30:04:05 null a {\"k\": 1} 18446744073709552000 1 [5]",
            "2024-02-29 00:00:00 +0000 UTC 2024-02-29 15:04:05.25 +0000 UTC 1709219045 -30:04:05",
            "2024-02-29 00:00:00 +0000 UTC 2024-02-29 15:04:05.25 +0000 UTC 1709219045 -30:04:05",
            "9007199254740991 0.1 it's 1 null 1970-01-02 00:00:00.250 [1,0] 12345678901234567890",
            "it's \\ -5 null [0,255] 1970-01-01 00:00:00.000",
            "GoError: sql: expected 1 arguments, got 2 GoError: sql: converting argument $1 type: unsupported type []interface {}, a slice of interface",
            "GoError: Error 1054 (42S22): Unknown column 'nope' in 'SELECT'",
            "GoError: Error 1064 (42000): You have an error in GoError: Error 1062 (23000): Duplicate entry 'y' for key 'name'",
            "GoError: Error 1064 (42000) [{\"x\":1}]",
            "GoError: Error 4166 (HY000): The used command is not allowed because the MariaDB server or client has disabled the local infile capability [{\"one\":1}]",
            "0 2 [\"t.id\"]",
            "latin1_bin 1",
            "GoError: packet for query is too large. Try adjusting the `Config.MaxAllowedPacket` GoError: Error 1193 (HY000): Unknown system variable 'nope'",
            "GoError: invalid options: max_open_conns is string; expected a number GoError: invalid DSN: missing the slash separating the database name",
            "0 3000000",
            "3000000 GoError: Error ",
            "GoError: sql: database is closed",
        ];
        check(engine, &text, &[("DB", server.dsn())], &expect);
    }
}

fn passwords_and_tls(server: &Mariadb, folder: &Path) {
    server.say("CREATE USER nobody@'%'; CREATE USER shown@'%' IDENTIFIED BY 'p' REQUIRE X509; CREATE USER tls@'%' IDENTIFIED BY 'p' REQUIRE SSL");
    server.say("INSTALL SONAME 'auth_ed25519'; CREATE USER ed@'%' IDENTIFIED VIA ed25519 USING PASSWORD('p')");
    let text = with_head(
        r"
const files = { caCertFile: 'ca.pem', clientCertFile: 'client.pem', clientKeyFile: 'client-key.pem' };
const early = [told(() => loadTLS({ enableTLS: true, caCertFile: 'ca.pem' })), told(() => loadTLS({ enableTLS: true, minVersion: 'x', ...files }))];
loadTLS({ enableTLS: true, minVersion: TLS_1_3, ...files });
export const options = { hosts: { localhost: '127.0.0.1', 'other.test': '127.0.0.1' } };
const at = (who, more = '', host = 'localhost') => told(() => String(sql.open(mysql, `${who}@tcp(${host}:${__ENV.PORT})/${more}`)
  .query(`SHOW STATUS LIKE 'Ssl_version'`)[0].Value));
export default function () {
  say(...early);
  say(at('u:s3cret'), at('u:wrong').replace(/'@'[^']*'/, ''), at('nobody'), at('ed:p'), at('ed:p', '?tls=skip-verify'), at('ed:q').replace(/'@'[^']*'/, ''));
  say(at('tls:p').slice(0, 27), at('tls:p', '?tls=skip-verify'), at('tls:p', '?tls=preferred'), at('tls:p', '?tls=true&allowFallbackToPlaintext=true'));
  say(at('tls:p', '?tls=true'));
  say(addTLS(), addTLS('/db'), addTLS('/db?x=1'), at('shown:p', addTLS('')), at('shown:p', '?tls=skip-verify').slice(0, 27));
  say(at('shown:p', addTLS(''), 'other.test'));
}",
    );
    for engine in engines() {
        let home = tempfile::tempdir().unwrap();
        for file in ["ca.pem", "client.pem", "client-key.pem"] {
            fs::copy(folder.join(file), home.path().join(file)).unwrap();
        }
        let expect = [
            "GoError: loadTLS() needs caCertFile, clientCertFile and clientKeyFile GoError: unsupported TLS version: x",
            " GoError: Error 1045 (28000): Access denied for user 'u (using password: YES)   TLSv1.3 GoError: Error 1045 (28000): Access denied for user 'ed (using password: YES)",
            "GoError: Error 1045 (28000) TLSv1.3 TLSv1.3 TLSv1.3",
            "GoError: tls: failed to verify certificate: x509: certificate signed by unknown authority",
            "?tls=custom /db?tls=custom /db?x=1&tls=custom TLSv1.3 GoError: Error 1045 (28000)",
            "GoError: tls: failed to verify certificate: x509: certificate is valid for localhost, not other.test",
        ];
        let outcome = run(&mut script(&home, engine, &text, &[("PORT", server.port.to_string())]));
        assert_eq!(logged(&outcome.stderr), expect, "{engine}: {}", outcome.stderr);
    }
}

fn hangs(server: &Mariadb) {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let text = with_head(
        r"
import { check } from 'k6';
export const options = { blockHostnames: ['blocked.test'], thresholds: { checks: ['rate==1'], 'sql_duration{driver:mysql,operation:query,status:ok}': ['max>0'] }, scenarios: {
  hangs: { executor: 'shared-iterations', exec: 'hangs', vus: 3, iterations: 3, maxDuration: '1s', gracefulStop: '0s' },
  many: { executor: 'shared-iterations', exec: 'many', vus: 30, iterations: 300 },
  looks: { executor: 'shared-iterations', exec: 'looks', startTime: '1500ms', maxDuration: '60s' },
} };
const db = open('', { max_open_conns: 1 });
const at = (place, more = '') => sql.open(mysql, `u:p@tcp(${place})/db${more}`);
const left = (what) => {
  let n = 1;
  for (let i = 0; i < 400 && n > 0; i++) { n = db.query(`SELECT count(*) AS n, sleep(0.02) FROM information_schema.processlist WHERE info LIKE ? AND id <> connection_id()`, what)[0].n; }
  return n;
};
export function hangs() { db.query('SELECT sleep(61)'); say('it answered'); }
export function many() { check(db.query('SELECT ? AS vu, sleep(0.002)', __VU)[0], { own: (row) => row.vu === __VU }); }
export function looks() {
  say(left('%sleep(61)%'));
  say(told(() => at('127.0.0.1:1').query('SELECT 1')), told(() => at('blocked.test').query('SELECT 1')));
  say(told(() => at(__ENV.SILENT, '?timeout=300ms').query('SELECT 1')), told(() => at(__ENV.SILENT, '?readTimeout=100ms').query('SELECT 1')));
  say(told(() => db.queryWithTimeout('200ms', 'SELECT sleep(62)')), left('%sleep(62)%'));
}",
    );
    for engine in engines() {
        let env = [("DB", server.dsn()), ("SILENT", silent.local_addr().unwrap().to_string())];
        let expect = [
            "0",
            "GoError: dial tcp A: connect: connection refused GoError: hostname (blocked.test) is in a blocked pattern (blocked.test)",
            "GoError: dial tcp A: i/o timeout GoError: invalid connection",
            "GoError: context deadline exceeded 0",
        ];
        check(engine, &text, &env, &expect);
    }
}

fn leaves(server: Mariadb) {
    let text = with_head(
        r"
const db = open();
export default function () {
  db.query('SELECT 1');
  console.warn('up');
  say(told(() => db.query('SELECT sleep(60)')));
  say(told(() => db.query('SELECT 1')));
}",
    );
    // A server leaves once: what becomes of it is no matter of the engine.
    let Some(engine) = engines().next() else { return };
    let home = tempfile::tempdir().unwrap();
    let running = Running::start(&mut script(&home, engine, &text, &[("DB", server.dsn())]));
    running.wait_for("\"up\"");
    // It says so before it asks. Two rows are an error where one is asked for.
    let asked = "SELECT 1 FROM information_schema.processlist WHERE info = 'SELECT sleep(60)'";
    let one_row = format!("SELECT (SELECT 1 UNION ALL SELECT 2 FROM DUAL WHERE NOT EXISTS ({asked}))");
    until("the statement", || server.try_say(&one_row));
    drop(server.server);
    let outcome = running.end();
    let gone = "GoError: dial tcp A: connect: connection refused";
    assert_eq!(logged(&outcome.stderr), ["up", "GoError: invalid connection", gone], "{engine}: {}", outcome.stderr);
}

#[test]
fn sqlite_statements_and_options() {
    let text = with_head(
        r"
const db = sql.open(sqlite, 'a.db?_fk=1&_journal=WAL');
export default function () {
  say(typeof sqlite, db.exec('CREATE TABLE t (id integer PRIMARY KEY, name text UNIQUE, at datetime, ok boolean, data blob, price real)').rowsAffected());
  const result = db.exec('INSERT INTO t (name, at, ok, data, price) VALUES (?, ?, ?, ?, ?), (?2, 5, 0, NULL, 2)', 'é', new Date(86400250), true, new Uint8Array([0, 255]), 1.5);
  say(result.rowsAffected(), result.lastInsertId());
  const row = db.query('SELECT * FROM t ORDER BY id')[0];
  say(row.id, row.name, String(row.at), row.at.unixMilli(), row.ok, row.data, row.price);
  say(db.query('SELECT at, ok, data FROM t WHERE id = :id', 2).map((row) => [String(row.at), row.ok, row.data]), db.query('SELECT 1 WHERE 0'));
  say(db.query('SELECT $1 AS a, $2 AS b, ?3 AS c, ? AS d, ? AS e', 9007199254740991, 'it\'s', undefined, 0.5, 12345678901234567890n)[0]);
  say(db.query(`INSERT INTO t (name) VALUES ('one'); SELECT count(*) AS n FROM t; `), db.exec('UPDATE t SET ok = 1 WHERE id > ?; DELETE FROM t WHERE id = ?', 0, 1).rowsAffected());
  say(told(() => db.query('SELECT nope')), told(() => db.exec(`INSERT INTO t (name) VALUES ('one')`)), told(() => db.query('SELEC')));
  say(told(() => db.query('SELECT ?, ?', 1)), told(() => db.query('SELECT ?', {})));
  say(db.query('PRAGMA foreign_keys')[0], db.query('PRAGMA journal_mode')[0], sql.open(sqlite, 'file:a.db?mode=ro').query('SELECT count(*) AS n FROM t'));
  say(told(() => sql.open(sqlite, 'file:a.db?mode=ro').exec('DELETE FROM t')), told(() => sql.open(sqlite, 'file:nope.db?mode=ro').query('SELECT 1')));
  say(told(() => sql.open(sqlite, 'x?_auth=1')), told(() => sql.open(Symbol('oracle'), 'x')));
  // Memory is that of a connection, unless it is shared.
  const shared = sql.open(sqlite, 'file:mine?mode=memory&cache=shared');
  shared.exec('CREATE TABLE m (x)'); shared.exec('INSERT INTO m VALUES (1)');
  say(shared.query('SELECT * FROM m'), sql.open(sqlite, 'file:mine?mode=memory&cache=shared').query('SELECT * FROM m'));
  // A transaction needs one connection; another waits for it, as long as it is said to.
  const one = sql.open(sqlite, 'a.db', { max_open_conns: 1 });
  one.exec('BEGIN IMMEDIATE'); one.exec('DELETE FROM t');
  say(told(() => sql.open(sqlite, 'a.db?_timeout=50').exec('DELETE FROM t')));
  one.exec('ROLLBACK');
  say(one.query('SELECT count(*) AS n FROM t')[0].n);
  const endless = 'WITH RECURSIVE r (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r) SELECT max(i) FROM r';
  say(told(() => db.queryWithTimeout('100ms', endless)), told(() => one.execWithTimeout('100ms', endless)), one.query('SELECT 2 AS two'));
  db.close();
  say(told(() => db.query('SELECT 1')));
}",
    );
    for engine in engines() {
        let expect = [
            "symbol 0",
            "2 2",
            "1 é 1970-01-02 00:00:00.25 +0000 UTC 86400250 true [0,255] 1.5",
            "[[\"1970-01-01 00:00:05 +0000 UTC\",false,null]] []",
            "{\"a\":9007199254740991,\"b\":\"it's\",\"c\":null,\"d\":0.5,\"e\":\"12345678901234567890\"}",
            "[{\"n\":3}] 1",
            "GoError: no such column: nope GoError: UNIQUE constraint failed: t.name GoError: near \"SELEC\": syntax error",
            "GoError: not enough args to execute query: want 2 got 1 GoError: sql: converting argument $1 type: unsupported type map[string]interface {}, a map",
            "{\"foreign_keys\":1} {\"journal_mode\":\"wal\"} [{\"n\":2}]",
            "GoError: attempt to write a readonly database GoError: unable to open database file",
            "GoError: sqlite3: \"_auth\" is not offered in a data source name GoError: unsupported database: oracle; drivers that are offered: k6/x/sql/driver/mysql, k6/x/sql/driver/postgres, k6/x/sql/driver/sqlite3",
            "[{\"x\":1}] [{\"x\":1}]",
            "GoError: database is locked",
            "2",
            "GoError: context deadline exceeded GoError: context deadline exceeded [{\"two\":2}]",
            "GoError: sql: database is closed",
        ];
        check(engine, &text, &[], &expect);
    }
}

#[test]
fn sqlite_beside_others() {
    let text = with_head(
        r"
import { check } from 'k6';
export const options = { thresholds: { checks: ['rate==1'], 'sql_duration{driver:sqlite3,operation:exec,status:ok}': ['max>0'] }, scenarios: {
  many: { executor: 'shared-iterations', exec: 'many', vus: 30, iterations: 300 },
  hangs: { executor: 'shared-iterations', exec: 'hangs', vus: 2, iterations: 2, maxDuration: '1s', gracefulStop: '0s' },
} };
const db = sql.open(sqlite, 'a.db?_journal=WAL&_sync=OFF&_timeout=60000', { max_open_conns: 1 });
export const setup = () => { db.exec('CREATE TABLE t (vu int)'); };
export const hangs = () => say(db.query('WITH RECURSIVE r (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r) SELECT max(i) FROM r'));
export const many = () => check(db.exec('INSERT INTO t VALUES (?)', __VU), { written: (result) => result.rowsAffected() === 1 });
export const teardown = () => say(db.query('SELECT count(*) AS n, count(DISTINCT vu) > 1 AS many FROM t')[0]);
",
    );
    for engine in engines() {
        check(engine, &text, &[], &["{\"n\":300,\"many\":1}"]);
    }
}
