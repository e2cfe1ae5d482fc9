// A database of each VU's own, in memory.
import { check } from 'k6';
import sql from 'k6/x/sql';
import driver from 'k6/x/sql/driver/sqlite3';

export { begin, options, rest } from './lib/plan.js';

const db = sql.open(driver, ':memory:', { max_open_conns: 1 });

export default function () {
  db.exec('CREATE TABLE IF NOT EXISTS soak (id int PRIMARY KEY, visits int)');
  db.exec('REPLACE INTO soak VALUES (1, ?)', __ITER);
  check(db.query('SELECT visits FROM soak')[0], { own: (row) => row.visits === __ITER });
}
