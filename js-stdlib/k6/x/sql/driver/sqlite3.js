// k6/x/sql/driver/sqlite3: what sql.open() knows SQLite by.
import { primordials } from 'native:engine';

export default primordials.Symbol('sqlite3');
