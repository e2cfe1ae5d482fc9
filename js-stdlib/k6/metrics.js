// Custom metrics. Values become numbers here, by JavaScript's rules; samples are written down in Rust.
import { declare, add, reject, setWasUsed, isStrict } from 'native:k6/metrics';
import { bind, call, primordials } from 'native:engine';

const LONGEST = 100;
const GAUGE = 1;

function shorten(text) {
  if (text.length <= LONGEST) return text;
  const half = LONGEST / 2;
  return `${call(primordials.StringPrototypeSlice, text, 0, half)}... omitting ${text.length - LONGEST} characters ...${call(primordials.StringPrototypeSlice, text, -half)}`;
}

function describe(value) {
  return primordials.String(value);
}

function metric(kind, className) {
  function Metric(name, isTime) {
    const text = name === undefined || name === null ? '' : primordials.String(name);
    const place = declare(kind, text, !!isTime);
    const self = {};
    // Numbers with plain tags don't come here.
    const addRare = (...list) => {
      const value = list[0];
      if (list.length === 0) {
        return reject(`no value was provided for metric '${text}', a number or a boolean value is expected`);
      }
      let number = value;
      if (typeof value !== 'number') {
        if (typeof value === 'bigint') throw new primordials.TypeError('Cannot convert a BigInt value to a number');
        number = value === null || value === undefined || typeof value === 'symbol' ? NaN : primordials.Number(value);
        // Whatever is true and has no number of its own counts one: `true`, `[]` and `'0'`.
        if (number === 0 && value) number = 1;
      }
      if (number !== number) {
        return reject(`'${shorten(describe(value))}' is an invalid value for metric '${text}', a number or a boolean value is expected`);
      }
      return add(place, number, list[1]);
    };
    const addSample = bind('k6/metrics', 'add', 'addSample', 0, addRare, place);
    primordials.ObjectDefineProperty(self, 'name', { __proto__: null, value: text, enumerable: true });
    primordials.ObjectDefineProperty(self, 'add', { __proto__: null, value: addSample, enumerable: true });
    if (kind === GAUGE && !isStrict()) {
      const value = (...list) => {
        setWasUsed(text);
        return addSample(...list);
      };
      // Not enumerable: what looks through a metric finds what k6 has.
      primordials.ObjectDefineProperty(self, 'set', { __proto__: null, value });
    }
    return self;
  }
  primordials.ObjectDefineProperty(Metric, 'name', { __proto__: null, value: className });
  return Metric;
}

export const Counter = metric(0, 'Counter');
export const Gauge = metric(GAUGE, 'Gauge');
export const Rate = metric(2, 'Rate');
export const Trend = metric(3, 'Trend');
export default { Counter, Gauge, Rate, Trend };
