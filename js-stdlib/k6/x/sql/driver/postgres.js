// k6/x/sql/driver/postgres: what sql.open() knows PostgreSQL by.
import { primordials } from 'native:engine';

export default primordials.Symbol('postgres');
