// k6/x/sql/driver/mysql: what sql.open() knows MySQL and MariaDB by, and certificates for their connections.
import { loadTLS as load } from 'native:k6/x/sql/driver/mysql';
import { primordials } from 'native:engine';

const { String } = primordials;

export const TLS_1_0 = 'tls1.0';
export const TLS_1_1 = 'tls1.1';
export const TLS_1_2 = 'tls1.2';
export const TLS_1_3 = 'tls1.3';

export const loadTLS = (options) => load(options);

// A data source name that asks for what was loaded; none is an empty one.
export function addTLS(...given) {
  const text = given.length === 0 ? '' : String(given[0]);
  let hasQuery = false;
  for (let at = 0; at < text.length; at++) hasQuery = hasQuery || text[at] === '?';
  return `${text}${hasQuery ? '&' : '?'}tls=custom`;
}

export default primordials.Symbol('mysql');
