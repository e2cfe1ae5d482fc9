// A database as part of the load: a table in setup, rows written and read under load. Needs DATABASE_URL beside the target.
import sql from 'k6/x/sql';
import driver from 'k6/x/sql/driver/postgres';
import { check } from 'k6';

// Each VU has connections of its own: 5 VUs with one each are 5.
const url = __ENV.DATABASE_URL || 'postgres://postgres:postgres@127.0.0.1:5432/postgres?sslmode=disable';
const db = sql.open(driver, url, { max_open_conns: 1 });

export const options = {
  vus: 5,
  iterations: 50,
  thresholds: { 'sql_duration{operation:query}': ['p(95)<1000'], checks: ['rate==1'] },
};

export function setup() {
  db.exec('CREATE TABLE IF NOT EXISTS example_visits (vu int, at timestamptz DEFAULT now())');
}

export default function () {
  const written = db.exec('INSERT INTO example_visits (vu) VALUES ($1)', __VU);
  check(written, { 'a row is written': (result) => result.rowsAffected() === 1 });
  const rows = db.queryWithTimeout('5s', 'SELECT count(*) AS visits, max(at) AS last FROM example_visits WHERE vu = $1', __VU);
  check(rows[0], {
    'visits grow': (row) => row.visits > __ITER,
    'times are times': (row) => row.last.year() > 2000,
  });
  // What the server refuses is thrown.
  let refusal;
  try { db.query('SELECT nothing_of_this_name'); } catch (error) { refusal = error; }
  check(refusal, { 'refusals have a code': (error) => String(error).includes('42703') });
}

export function teardown() {
  db.exec('DROP TABLE example_visits');
  db.close();
}
