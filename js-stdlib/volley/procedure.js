// A procedure's way out of its module: as JSON, in which nothing is lost in silence.

import { primordials } from 'native:engine';

// What JSON would leave out or change becomes an object that says what it was; the border refuses it by its path.
function telling(key, value) {
  switch (typeof value) {
    case 'function':
    case 'symbol':
    case 'bigint':
      return { '$not data': `a ${typeof value}` };
    case 'number':
      return value - value === 0 ? value : { '$not data': String(value) };
    default:
      return value && typeof value.then === 'function' ? { '$not data': 'a promise' } : value;
  }
}

export function exportProcedure(procedure) {
  return primordials.JSONStringify(procedure, telling);
}

// What `data.record` makes of the number of a record.
export function exportRecord(procedure, number) {
  return primordials.JSONStringify(procedure.data.record(number), telling);
}
