// Draws the page from one JSON document: a summary (`volley-summary`), or a report (`volley-report`) that holds several
// of them under `runs`, each with `panels` of further series. Nothing from the document ever becomes markup: every text
// goes in as text. Numbers in tables are the document's `text`, in the console's words; only charts round by themselves.
'use strict';
(() => {
  const problems = [];
  window.addEventListener('error', (event) => {
    problems.push(event.message);
    document.documentElement.dataset.problems = problems.join('\n');
  });

  // ---- Elements -------------------------------------------------------------------------------------------------

  const make = (tag, attributes, ...children) => fill(document.createElement(tag), attributes, children);
  const draw = (tag, attributes, ...children) =>
    fill(document.createElementNS('http://www.w3.org/2000/svg', tag), attributes, children);

  function fill(element, attributes, children) {
    for (const [name, value] of Object.entries(attributes || {})) {
      if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
      else if (name === 'color') element.style.setProperty('--c', `var(--${value})`);
      else if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value);
    }
    for (const child of children.flat(9)) {
      if (child !== null && child !== undefined && child !== false) element.append(child);
    }
    return element;
  }

  // ---- Numbers of charts ----------------------------------------------------------------------------------------

  /// So many significant digits, thousands set apart; the same rounding as the document's texts.
  const digits = (value, most = 3) => {
    if (!value) return '0';
    const decimals = Math.min(12, Math.max(0, most - 1 - Math.floor(Math.log10(Math.abs(value)))));
    return value.toLocaleString('en-US', { maximumFractionDigits: decimals });
  };
  const scaled = (value, steps) => {
    const [limit, unit, most] = steps.find(([limit]) => Math.abs(value) >= limit) || steps[steps.length - 1];
    return `${digits(value / (limit || 1), most)} ${unit}`;
  };
  const units = {
    time: (ms) => {
      const size = Math.abs(ms);
      if (size === 0) return '0 ms';
      if (size < 0.1) return `${digits(ms * 1000)} µs`;
      return size < 1000 ? `${digits(ms, size < 1 ? 2 : 3)} ms` : `${digits(ms / 1000)} s`;
    },
    data: (bytes) => scaled(bytes, [[999.5e6, 'GB'], [999.5e3, 'MB'], [999.5, 'kB'], [0, 'B']].map(([limit, unit], place) => [limit && 10 ** (9 - 3 * place), unit])),
    share: (share) => {
      const percent = share * 100;
      return `${percent && Math.abs(percent) < 0.1 ? digits(percent, 2) : percent.toLocaleString('en-US', { maximumFractionDigits: 1 })} %`;
    },
    default: (value) => (Math.abs(value) >= 1e6 ? scaled(value, [[1e9, 'G'], [1e6, 'M']]) : digits(value, 4)),
  };
  units['data/s'] = (value) => `${units.data(value)}/s`;
  units['/s'] = (value) => `${units.default(value)}/s`;
  const counted = (count, one, many = `${one}s`) => `${units.default(count)} ${count === 1 ? one : many}`;

  /// Text for reading: no unit stands alone at the beginning of a line, and what is in backticks is code.
  const prose = (text) => String(text || '').split('`').map((part, place, all) => (place % 2 && place < all.length - 1
    ? make('code', {}, part)
    : `${place % 2 ? '`' : ''}${part}`.replace(/(\d) (?=(?:ms|µs|s|%|[kMGT]?B|[a-z]+\/s)(?:[^a-zA-Z]|$))/g, '$1\u00a0')));

  const clock = (seconds) => {
    const whole = Math.floor(seconds);
    const parts = [[86400, 'd'], [3600, 'h'], [60, 'm'], [1, 's']];
    const from = parts.findIndex(([size]) => whole >= size);
    if (from < 0 || from === 3) return `${digits(seconds, 3)}s`;
    const [size, unit] = parts[from];
    const [next, small] = parts[from + 1];
    const rest = Math.floor((whole % size) / next);
    return `${Math.floor(whole / size)}${unit}${rest ? ` ${rest}${small}` : ''}`;
  };

  /// Round steps from 0 to `most`, at least two; with `isWhole` up to the first that is not below it.
  function ticks(most, wanted, bases, isWhole, leastStep = 0) {
    const rough = most / wanted;
    let step;
    if (bases) step = bases.find((base) => base >= rough) || Math.ceil(rough / 86400) * 86400;
    else {
      const power = 10 ** Math.floor(Math.log10(rough || 1));
      step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough * 0.999) || power;
    }
    step = Math.max(step, leastStep);
    const list = [];
    for (let at = 0; (isWhole ? at < most * 0.9999 + step : at <= most * 1.0001) || list.length < 2; at += step) list.push(Number(at.toPrecision(12)));
    return list;
  }
  const CLOCK_STEPS = [0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400];

