// MySQL or MariaDB as part of the load: a table in setup, rows written and read under load. Needs MYSQL_DSN beside the target.
import sql from 'k6/x/sql';
import driver from 'k6/x/sql/driver/mysql';
import { check } from 'k6';

// Each VU has connections of its own: 5 VUs with one each are 5.
const dsn = __ENV.MYSQL_DSN || 'root:root@tcp(127.0.0.1:3306)/test';
const db = sql.open(driver, `${dsn}?parseTime=true`, { max_open_conns: 1 });

export const options = {
  vus: 5,
  iterations: 50,
  thresholds: { 'sql_duration{driver:mysql,operation:query}': ['p(95)<1000'], checks: ['rate==1'] },
};

export function setup() {
  db.exec('CREATE TABLE IF NOT EXISTS example_visits (vu int, page varchar(50), at datetime DEFAULT now())');
}

export default function () {
  const written = db.exec('INSERT INTO example_visits (vu, page) VALUES (?, ?)', __VU, `page ${__ITER}`);
  check(written, { 'a row is written': (result) => result.rowsAffected() === 1 });
  const rows = db.query('SELECT page, at FROM example_visits WHERE vu = ? ORDER BY at DESC LIMIT 1', __VU);
  check(rows[0], {
    // Texts are bytes, as MySQL's driver for k6 has them; String() reads them.
    'the page is there': (row) => String(row.page).startsWith('page '),
    'times are times': (row) => row.at.year() > 2000,
  });
}

export function teardown() {
  db.exec('DROP TABLE example_visits');
  db.close();
}
