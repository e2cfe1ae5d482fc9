// Rows written and read, one connection a VU.
import { check } from 'k6';
import sql from 'k6/x/sql';
import driver from 'k6/x/sql/driver/mysql';

export { begin, options, rest } from './lib/plan.js';

const db = sql.open(driver, __ENV.MYSQL, { max_open_conns: 1 });

export const setup = () => void db.exec('CREATE TABLE soak (vu int PRIMARY KEY, visits int)');

export default function () {
  db.exec('REPLACE INTO soak VALUES (?, ?)', __VU, __ITER);
  check(db.query('SELECT visits, now() AS at, 1.5 AS n FROM soak WHERE vu = ?', __VU)[0], { own: (row) => row.visits === __ITER });
}
