// SQLite beside the load: test data in a database in memory, asked with SQL.
import sql from 'k6/x/sql';
import driver from 'k6/x/sql/driver/sqlite3';
import http from 'k6/http';
import { check } from 'k6';

// `:memory:` is a database for each connection, so one for each VU here. A path is a file, and
// `file:name?mode=memory&cache=shared` one database for all, whose tables are locked while another VU writes to them.
const db = sql.open(driver, ':memory:', { max_open_conns: 1 });

export const options = { vus: 2, iterations: 10, thresholds: { checks: ['rate==1'] } };

export default function () {
  db.exec('CREATE TABLE IF NOT EXISTS answers (path text, status int, at datetime)');
  const response = http.get(`${__ENV.BASE_URL || 'http://127.0.0.1:8080'}/health`);
  db.exec('INSERT INTO answers VALUES (?, ?, ?)', '/health', response.status, new Date());
  const rows = db.query('SELECT status, count(*) AS n, max(at) AS last FROM answers GROUP BY status');
  check(rows, {
    'one kind of answer': (found) => found.length === 1 && found[0].status === 200,
    'answers add up': (found) => found[0].n > 0,
  });
}
