// Rows written and read, one connection a VU.
import { check } from 'k6';
import sql from 'k6/x/sql';
import driver from 'k6/x/sql/driver/postgres';

export { begin, options, rest } from './lib/plan.js';

const db = sql.open(driver, __ENV.POSTGRES, { max_open_conns: 1 });

export const setup = () => void db.exec('CREATE TABLE soak (vu int PRIMARY KEY, visits int)');

export default function () {
  db.exec('INSERT INTO soak VALUES ($1, $2) ON CONFLICT (vu) DO UPDATE SET visits = $2', __VU, __ITER);
  check(db.query('SELECT visits, now() AS at, 1.5::numeric AS n FROM soak WHERE vu = $1', __VU)[0], { own: (row) => row.visits === __ITER });
}
