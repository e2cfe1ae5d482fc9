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

  /// Round steps from 0 to at least `most`.
  function ticks(most, wanted, bases) {
    const rough = most / wanted;
    let step;
    if (bases) step = bases.find((base) => base >= rough) || Math.ceil(rough / 86400) * 86400;
    else {
      const power = 10 ** Math.floor(Math.log10(rough || 1));
      step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough * 0.999) || power;
    }
    const list = [];
    for (let at = 0; at <= most * 1.0001 || list.length < 2; at += step) list.push(Number(at.toPrecision(12)));
    return list;
  }
  const CLOCK_STEPS = [0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400];

  // ---- Charts ---------------------------------------------------------------------------------------------------

  const charts = [];
  const hidden = new Set();
  let pointed = null;

  /// A chart of lines over seconds. `lines`: name, color, values (null: nothing seen), maybe `area`, `x` of its own, and
  /// `partial` where the last value is of an interval that was cut short. `bands`: pairs of lines with the space between.
  function chart(spec) {
    const svg = draw('svg', { role: 'img', tabindex: 0, 'aria-label': spec.label ? `${spec.title}, ${spec.label}` : spec.title });
    const legend = make('div', { class: 'legend' });
    const at = make('span', { class: 'at' });
    const card = make('div', { class: 'card chart' },
      make('div', { class: 'head' }, make('h3', {}, spec.title, at), legend), svg);
    const view = { spec, svg, legend, at, card, width: 0 };
    const seek = (event) => {
      const box = svg.getBoundingClientRect();
      const share = (event.clientX - box.left - view.left) / Math.max(1, box.width - view.left - view.right);
      point(share * spec.seconds);
    };
    svg.addEventListener('pointermove', seek);
    svg.addEventListener('pointerdown', seek);
    svg.addEventListener('pointerleave', () => point(null));
    svg.addEventListener('blur', () => point(null));
    svg.addEventListener('keydown', (event) => {
      const way = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (!way) return;
      event.preventDefault();
      const x = longest(spec);
      const now = pointed === null ? -1 : nearest(x, pointed);
      point(x[Math.min(x.length - 1, Math.max(0, now + way))]);
    });
    charts.push(view);
    return card;
  }

  const xOf = (spec, line) => line.x || spec.x;
  const longest = (spec) => spec.lines.map((line) => xOf(spec, line)).reduce((one, x) => (x.length && (!one.length || x[x.length - 1] > one[one.length - 1]) ? x : one), []);

  const nearest = (x, seconds) => {
    let best = 0;
    x.forEach((value, place) => { if (Math.abs(value - seconds) < Math.abs(x[best] - seconds)) best = place; });
    return best;
  };

  function point(seconds) {
    pointed = seconds;
    charts.forEach(mark);
  }

  function paint(view) {
    if (view.paint) { view.paint(); return; }
    const { spec, svg } = view;
    const width = Math.round(svg.clientWidth || 520);
    const height = 190;
    const shown = spec.lines.filter((line) => !hidden.has(`${spec.title}/${line.name}`));
    const values = shown.flatMap((line) => line.values.filter((value) => value !== null && Number.isFinite(value)));
    const most = Math.max(0, ...values);
    const least = Math.min(0, ...values);
    const format = units[spec.unit] || units.default;
    const steps = most || least ? ticks(Math.max(most, -least), 4) : [0, spec.unit === 'share' ? 0.01 : 1];
    const ceiling = most > 0 || least === 0 ? Math.max(most * 1.05, steps[1]) : 0;
    const floor = least < 0 ? least * 1.05 : 0;
    const yTicks = [...steps.slice(1).map((step) => -step).filter((step) => step >= floor).reverse(), ...steps.filter((step) => step <= ceiling)];
    // Wide enough for all the usual numbers, so that charts above each other share their moments.
    view.left = Math.max(54, 10 + 6.4 * Math.max(...yTicks.map((tick) => format(tick).length)));
    view.right = 8;
    const [above, below] = [8, 22];
    const X = (seconds) => view.left + (seconds / spec.seconds) * (width - view.left - view.right);
    const Y = (value) => above + (1 - (value - floor) / (ceiling - floor)) * (height - above - below);
    Object.assign(view, { X, Y, height, above, below, shown, format });
    svg.setAttribute('viewBox', `0 0 ${width} ${height}`);
    const parts = [];
    for (const tick of yTicks) {
      parts.push(draw('line', { class: tick === 0 ? 'axis' : 'grid', x1: view.left, x2: width - view.right, y1: Y(tick), y2: Y(tick) }));
      parts.push(draw('text', { x: view.left - 6, y: Y(tick) + 4, 'text-anchor': 'end' }, tick === 0 ? '0' : format(tick)));
    }
    for (const tick of ticks(spec.seconds, Math.max(2, width / 110), CLOCK_STEPS).filter((tick) => tick <= spec.seconds)) {
      const anchor = X(tick) > width - 30 ? 'end' : tick === 0 ? 'start' : 'middle';
      parts.push(draw('text', { x: X(tick), y: height - 5, 'text-anchor': anchor }, tick === 0 ? '0' : clock(tick)));
    }
    const pathOf = (line, seen) => seen.map(([x, y], place) => {
      const step = line.step && place > 0 ? `H${X(x).toFixed(1)}V${Y(y).toFixed(1)}` : null;
      return step || `${place ? 'L' : 'M'}${X(x).toFixed(1)} ${Y(y).toFixed(1)}`;
    }).join('');
    const seenOf = (line) => line.values.map((value, place) => [xOf(spec, line)[place], value, place])
      .filter(([, value]) => value !== null && Number.isFinite(value));
    for (const [low, high] of spec.bands || []) {
      const [below, above] = [low, high].map((name) => shown.find((line) => line.name === name));
      if (!below || !above) continue;
      const [down, up] = [seenOf(below), seenOf(above)];
      if (up.length < 2 || up.length !== down.length) continue;
      const back = down.slice().reverse().map(([x, y]) => `L${X(x).toFixed(1)} ${Y(y).toFixed(1)}`).join('');
      parts.push(draw('path', { class: 'wash', color: above.color, d: `${pathOf({}, up)}${back}Z` }));
    }
    for (const line of shown) {
      const seen = seenOf(line);
      if (!seen.length) continue;
      // What ends with a cut interval is drawn to the one before; the rest is dashed.
      const isCut = line.partial && seen.length > 1 && seen[seen.length - 1][2] === line.values.length - 1;
      const path = pathOf(line, isCut ? seen.slice(0, -1) : seen);
      if (line.area && seen.length > 1) {
        const base = Y(Math.max(0, floor)).toFixed(1);
        parts.push(draw('path', { class: 'wash', color: line.color, d: `${path}L${X(seen[seen.length - 1][0]).toFixed(1)} ${base}L${X(seen[0][0]).toFixed(1)} ${base}Z` }));
      }
      parts.push(draw('path', { class: seen.length > 200 ? 'fine trace' : 'trace', color: line.color, d: path }));
      if (isCut) parts.push(draw('path', { class: 'cut trace', color: line.color, d: pathOf(line, seen.slice(-2)) }));
      if (seen.length <= 12) {
        parts.push(seen.map(([x, y]) => draw('circle', { class: 'dot', color: line.color, cx: X(x), cy: Y(y), r: seen.length === 1 ? 4 : 2.4 })));
      }
    }
    view.pointer = draw('g', {});
    svg.replaceChildren(...parts.flat(), view.pointer);
    view.width = width;
    mark(view);
  }

  /// The read-out: a line through all charts, dots on the traces, values in the legends.
  function mark(view) {
    const { spec, legend, at, pointer } = view;
    if (!pointer) return;
    const places = spec.lines.map((line) => {
      const x = xOf(spec, line);
      if (pointed === null || !x.length) return null;
      const place = nearest(x, Math.min(pointed, spec.seconds));
      // A run that was over by then has nothing to say.
      return line.x && pointed > x[x.length - 1] + (x[1] - x[0] || 1) ? null : place;
    });
    const first = places.findIndex((place) => place !== null);
    const moment = first < 0 ? null : xOf(spec, spec.lines[first])[places[first]];
    const isCut = first >= 0 && spec.lines[first].partial && places[first] === spec.lines[first].values.length - 1;
    at.textContent = moment === null ? '' : `at ${clock(moment)}${isCut ? ', interval cut short' : ''}`;
    legend.replaceChildren(...spec.lines.map((line, number) => {
      const key = `${spec.title}/${line.name}`;
      const value = places[number] === null ? undefined : line.values[places[number]];
      const text = value === undefined ? null : value === null ? '–' : view.format(value);
      return make('button', {
        type: 'button', 'aria-pressed': String(!hidden.has(key)), title: 'Show or hide',
        onclick: () => { if (!hidden.delete(key)) hidden.add(key); paint(view); },
      }, make('i', { color: line.color }), line.name, text === null ? null : make('b', {}, text));
    }));
    if (moment === null) return pointer.replaceChildren();
    const x = view.X(moment);
    const dots = spec.lines.flatMap((line, number) => {
      const value = places[number] === null ? null : line.values[places[number]];
      if (!view.shown.includes(line) || value === null || value === undefined || !Number.isFinite(value)) return [];
      return [draw('circle', { class: 'mark', color: line.color, cx: view.X(xOf(spec, line)[places[number]]), cy: view.Y(value), r: 4 })];
    });
    pointer.replaceChildren(draw('line', { class: 'cross', x1: x, x2: x, y1: view.above, y2: view.height - view.below }), ...dots);
  }

  /// How values are spread: bars whose bounds rise by the same factor, with lines at some figures.
  function spread(title, unit, distribution, values, what) {
    const svg = draw('svg', { role: 'img', tabindex: 0, 'aria-label': title });
    const at = make('span', { class: 'at' });
    const card = make('div', { class: 'card chart' }, make('div', { class: 'head' }, make('h3', {}, title, at)), svg);
    const { bounds, counts } = distribution;
    const format = units[unit] || units.default;
    const total = counts.reduce((sum, count) => sum + count, 0);
    const most = Math.max(...counts);
    const view = { svg, width: 0, spec: { lines: [], title } };
    view.paint = () => {
      const width = Math.round(svg.clientWidth || 520);
      const [left, right, above, below, height] = [54, 8, 22, 22, 190];
      const each = (width - left - right) / counts.length;
      const isLog = bounds[0] > 0;
      const [low, high] = [bounds[0], bounds[bounds.length - 1]];
      const share = (value) => (high === low ? 0.5 : isLog ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low));
      const X = (value) => left + Math.min(1, Math.max(0, share(value))) * (width - left - right);
      const Y = (count) => above + (1 - count / most) * (height - above - below);
      svg.setAttribute('viewBox', `0 0 ${width} ${height}`);
      const parts = [];
      for (const tick of ticks(most / total, 3).filter((tick) => tick * total <= most * 1.001)) {
        const y = Y(tick * total);
        parts.push(draw('line', { class: tick === 0 ? 'axis' : 'grid', x1: left, x2: width - right, y1: y, y2: y }));
        parts.push(draw('text', { x: left - 6, y: y + 4, 'text-anchor': 'end' }, tick === 0 ? '0' : units.share(tick)));
      }
      counts.forEach((count, place) => {
        if (!count) return;
        const y = Math.min(Y(count), height - below - 1.5);
        parts.push(draw('rect', { class: 'bar', color: 's1', x: left + place * each + 0.5, width: Math.max(1, each - 1), y, height: height - below - y }));
      });
      const labels = Math.max(2, Math.min(6, Math.floor(width / 110)));
      for (let place = 0; place <= labels; place += 1) {
        const value = isLog ? low * (high / low) ** (place / labels) : low + ((high - low) * place) / labels;
        const anchor = place === 0 ? 'start' : place === labels ? 'end' : 'middle';
        if (low !== high || place === 0) parts.push(draw('text', { x: low === high ? (left + width) / 2 : X(value), y: height - 5, 'text-anchor': low === high ? 'middle' : anchor }, format(value)));
      }
      let taken = -Infinity;
      for (const [name, color] of [['med', 's2'], ['p(95)', 's5'], ['p(99)', 's3']]) {
        if (!Number.isFinite(values[name]) || low === high) continue;
        const x = X(values[name]);
        parts.push(draw('line', { class: 'figure-line', color, x1: x, x2: x, y1: above - 4, y2: height - below }));
        // Names that would lie on each other are left out; the figures stand in the tables.
        const middle = Math.min(width - right - 14, Math.max(left + 12, x));
        if (middle - taken > 34) { parts.push(draw('text', { x: middle, y: 12, 'text-anchor': 'middle' }, name)); taken = middle; }
      }
      svg.replaceChildren(...parts);
      Object.assign(view, { width, left, each });
    };
    const seek = (event) => {
      const box = svg.getBoundingClientRect();
      const place = Math.floor((event.clientX - box.left - view.left) / view.each);
      const count = counts[place];
      at.textContent = count === undefined ? '' : `${format(bounds[place])} to ${format(bounds[place + 1])}: ${counted(count, what)}, ${units.share(count / total)}`;
    };
    svg.addEventListener('pointermove', seek);
    svg.addEventListener('pointerdown', seek);
    svg.addEventListener('pointerleave', () => { at.textContent = ''; });
    charts.push(view);
    return card;
  }

  // ---- Tables ---------------------------------------------------------------------------------------------------

  const FEW_ROWS = 40;
  const frames = [];

  /// Says where a table is wider than its frame, and puts it back where it was scrolled to.
  function settle(box, frame, name) {
    box.dataset.wide = frame.scrollWidth > frame.clientWidth + 1 ? 'yes' : 'no';
    if (scrolled.has(name)) frame.scrollLeft = scrolled.get(name);
  }

  const sorted = new Map();
  const opened = new Set();
  const scrolled = new Map();

  /// A table. `columns`: [title, cell of a row, sort key of a row, whether it is prose]. A cell is text or an element.
  /// `look` is how it looks where there is little room: `stacked` puts the cells of a row below each other. `few` rows are
  /// shown at first, and `detail` of a row is what stands below it, if anything.
  function table(name, columns, rows, first, look = '', few = FEW_ROWS, detail = () => null) {
    const box = make('div', {});
    const show = () => {
      const order = sorted.get(name) || first;
      let list = rows;
      if (order) {
        const key = columns[order.column][2];
        const way = order.falls ? -1 : 1;
        list = rows.slice().sort((a, b) => {
          const [one, other] = [key(a), key(b)];
          return way * (typeof one === 'string' ? one.localeCompare(other) : one - other);
        });
      }
      const all = opened.has(name) || list.length <= few * 1.25;
      const heads = columns.map(([title, , key, isProse], column) => {
        if (!key) return make('th', { scope: 'col', class: isProse ? 'text' : null }, title);
        const sort = order && order.column === column ? (order.falls ? 'descending' : 'ascending') : null;
        const falls = sort ? !order.falls : column > 0;
        return make('th', { scope: 'col', 'aria-sort': sort },
          make('button', { type: 'button', 'data-key': `sort ${name} ${column}`, onclick: () => { sorted.set(name, { column, falls }); show(); } }, title));
      });
      const body = (all ? list : list.slice(0, few)).flatMap((row) => [make('tr', {}, columns.map(([, cell, , isProse], column) => {
        const content = cell(row);
        const isZero = column > 0 && ['0', '0 %', '0/s', '–'].includes(content);
        return make('td', { class: column === 0 || isProse ? 'text' : isZero ? 'zero' : null, 'data-title': (look && column > 0 && !isProse && columns[column][0]) || null }, content);
      })), detail(row)].filter(Boolean));
      const frame = make('div', { class: `card table ${look}`, onscroll: () => scrolled.set(name, frame.scrollLeft) },
        make('table', {}, make('thead', {}, make('tr', {}, heads)), make('tbody', {}, body)));
      box.replaceChildren(
        make('p', { class: 'swipe', 'aria-hidden': 'true' }, 'more columns: scroll sideways →'), frame,
        all ? '' : make('p', { class: 'more-rows' }, make('button', { type: 'button', onclick: () => { opened.add(name); show(); } }, `Show all ${units.default(list.length)}`)));
      frames.push([box, frame, name]);
      settle(box, frame, name);
    };
    show();
    return box;
  }

  const section = (title, small, ...content) =>
    make('section', {}, make('h2', {}, title, small ? make('small', {}, small) : null), content);

  // ---- One run --------------------------------------------------------------------------------------------------

  /// The time series of a run, ready for charts. A last interval that is only a sliver is counted with the one before;
  /// while the run goes on, the interval that has not ended yet waits.
  function series(timeline, seconds, isOver) {
    if (!timeline) return null;
    const width = timeline.interval_seconds;
    let count = timeline.points;
    const rest = seconds - (count - 1) * width;
    const isOpen = !isOver && count > 1 && rest < width * 0.98;
    const hasSliver = isOver && count > 1 && rest < width * 0.4;
    if (isOpen || hasSliver) count -= 1;
    const last = isOpen ? width : Math.max(seconds - (count - 1) * width, 0.001);
    const partial = isOver && count > 1 && last < width * 0.98;
    const lasts = Array.from({ length: count }, (_, place) => (place === count - 1 ? last : width));
    const x = lasts.map((last, place) => place * width + last / 2);
    const join = (list, add) => {
      const kept = list.slice(0, count);
      const sliver = hasSliver ? list[count] : null;
      if (sliver !== null && sliver !== undefined) kept[count - 1] = add(kept[count - 1], sliver);
      return kept;
    };
    const sum = (one, more) => (one || 0) + more;
    const later = (one, more) => (one === null ? more : one);
    const all = timeline.series;
    return {
      x, partial, last, width, lasts,
      names: Object.keys(all),
      get: (name) => all[name],
      perSecond: (name) => all[name] && join(all[name].sum, sum).map((value, place) => (value || 0) / lasts[place]),
      fails: (name, key) => all[name] && join(all[name][key], sum).map((value, place) => (value || 0) / lasts[place]),
      share: (name) => {
        if (!all[name]) return undefined;
        const [passes, fails] = [join(all[name].passes, sum), join(all[name].fails, sum)];
        return passes.map((value, place) => {
          const total = (value || 0) + (fails[place] || 0);
          return total ? (value || 0) / total : null;
        });
      },
      figure: (name, figure) => all[name] && join(all[name][figure], later),
      held: (name, figure) => {
        if (!all[name]) return undefined;
        let last = null;
        return join(all[name][figure], (_, more) => more).map((value) => { if (value !== null) last = value; return last; });
      },
    };
  }

  const BUILTIN = /^(vus|vus_max|iterations|iteration_duration|dropped_iterations|checks|group_duration|http_req.*|data_sent|data_received|generator_.*)$/;

  /// Percentiles with the space between them filled.
  const BANDS = [['med', 'p(90)'], ['p(90)', 'p(95)'], ['p(95)', 'p(99)']];

  function overTime(run, data) {
    const seconds = Math.max(run.run.seconds, 0.001);
    const cards = [];
    const add = (title, unit, lines, to = cards) => {
      const present = lines.filter((line) => line[2] && line[2].some((value) => value !== null));
      if (!present.length) return;
      to.push(chart({ title, unit, seconds, x: data.x, bands: BANDS, lines: present.map(([name, color, values, look]) => ({ name, color, values, partial: data.partial, ...look })) }));
    };
    const trend = (name) => [
      ['med', 's2', data.figure(name, 'med')], ['p(90)', 's1', data.figure(name, 'p(90)')],
      ['p(95)', 's5', data.figure(name, 'p(95)')], ['p(99)', 's3', data.figure(name, 'p(99)')],
    ];
    const area = { area: true };
    add('Requests per second', '/s', [['requests', 's1', data.perSecond('http_reqs'), area], ['failed', 's4', some(data.fails('http_req_failed', 'passes')), area]]);
    add('Request duration', 'time', trend('http_req_duration'));
    for (const [name, title, what] of [['http_req_duration', 'Distribution of request durations', 'request'], ['grpc_req_duration', 'Distribution of gRPC call durations', 'call']]) {
      const found = run.metrics.find((one) => one.name === name);
      if (found && found.distribution && found.values.count) cards.push(spread(title, 'time', found.distribution, found.values, what));
    }
    add('Virtual users', 'default', [['active', 's1', data.held('vus', 'value'), { area: true, step: true }], ['ready', 's6', data.held('vus_max', 'value'), { step: true }]]);
    add('Errors per second', '/s', [
      ['failed requests', 's4', some(data.fails('http_req_failed', 'passes')), area], ['failed checks', 's3', some(data.fails('checks', 'fails'))],
      ['dropped iterations', 's5', some(data.perSecond('dropped_iterations'))],
    ]);
    add('Iterations per second', '/s', [['iterations', 's2', data.perSecond('iterations'), area]]);
    add('Iteration duration', 'time', trend('iteration_duration'));
    add('Data per second', 'data/s', [['received', 's1', some(data.perSecond('data_received')), area], ['sent', 's2', some(data.perSecond('data_sent'))]]);
    const more = [];
    for (const name of data.names.filter((name) => !BUILTIN.test(name))) {
      const { type, contains } = data.get(name);
      const unit = contains === 'default' ? 'default' : contains;
      if (type === 'counter') add(`${name} per second`, contains === 'data' ? 'data/s' : '/s', [['count', 's1', data.perSecond(name), area]], more);
      if (type === 'rate') add(name, 'share', [['share', 's1', data.share(name), area]], more);
      if (type === 'gauge') add(name, unit, [['value', 's1', data.held(name, 'value')]], more);
      if (type === 'trend') add(name, unit, trend(name), more);
    }
    const own = [];
    add('Lateness of threads, p(99)', 'time', [['scripts', 's1', data.figure('generator_lag', 'p(99)')], ['network', 's3', data.figure('generator_network_lag', 'p(99)')]], own);
    add('CPU share of all cores', 'share', [['share', 's1', data.held('generator_cpu', 'value'), area]], own);
    return { cards, more, own };
  }

  /// Nothing but zeros is no line worth drawing.
  const some = (values) => (values && values.some((value) => value) ? values : undefined);

  function panels(run) {
    return (run.panels || []).map((panel) => {
      const x = panel.x || [];
      const colors = ['s1', 's2', 's3', 's5', 's4', 's6'];
      const lines = (panel.lines || []).map((line, place) => ({ name: line.name, color: colors[place % colors.length], values: line.values }));
      return chart({ title: panel.title, unit: panel.unit, seconds: Math.max(run.run.seconds, ...x, 0.001), x, lines });
    });
  }

  const tile = (name, figure, more, look) => make('div', { class: 'tile' },
    make('div', { class: 'name' }, name), make('div', { class: `figure ${look || ''}` }, figure), make('div', { class: 'more' }, more || '\u00a0'));

  function tiles(run, metric) {
    const list = [];
    const add = (...facts) => list.push(tile(...facts));
    const [requests, duration, failed] = ['http_reqs', 'http_req_duration', 'http_req_failed'].map(metric);
    const [iterations, vus, dropped] = ['iterations', 'vus', 'dropped_iterations'].map(metric);
    const isOver = run.run.is_over;
    if (requests) add('Requests', requests.text.count, requests.text.rate);
    if (duration) {
      // Where some got no answer, the times of those that did say more.
      const { text, values } = duration.answered || duration;
      add('Duration p(95)', values.count ? text['p(95)'] : '–', !values.count ? 'no request was answered' : `median ${text.med}${duration.answered ? ', answered requests only' : ''}`);
    }
    if (failed) add('Failed requests', failed.text.rate, `${failed.text.passes} of ${units.default(failed.values.passes + failed.values.fails)}`, failed.values.passes ? 'bad' : '');
    if (run.checks.list.length) add('Checks succeeded', run.checks.text.succeeded, `${units.default(run.checks.passes)} of ${run.checks.text.total}`, run.checks.fails ? 'bad' : '');
    if (iterations) add('Iterations', iterations.text.count, dropped ? `${dropped.text.count} dropped` : iterations.text.rate, dropped ? 'bad' : '');
    if (isOver) add('Active virtual users', vus ? vus.text.max : '–', `peak, of ${units.default(run.run.max_vus)} planned`);
    return list;
  }

  /// The same at this moment: of the last seconds that are over.
  function nowTiles(run, data) {
    if (run.run.is_over) return [];
    const list = [];
    const { active_vus: active } = run.run;
    if (active !== undefined) list.push(tile('Active virtual users', units.default(active), `of ${units.default(run.run.max_vus)} planned`));
    if (!data || data.x.length < 2) return list;
    const count = Math.max(1, Math.ceil(5 / data.width));
    const last = (values) => (values || []).slice(-count);
    const mean = (values) => values.reduce((sum, value) => sum + (value || 0), 0) / Math.max(1, values.length);
    const rate = last(data.perSecond('http_reqs'));
    if (rate.length) list.push(tile('Requests per second', units['/s'](mean(rate)).replace('/s', ''), `peak ${units['/s'](Math.max(...data.perSecond('http_reqs')))}`));
    const p95 = last(data.figure('http_req_duration', 'p(95)')).filter((value) => value !== null);
    const med = last(data.figure('http_req_duration', 'med')).filter((value) => value !== null);
    if (rate.length) list.push(tile('Duration p(95)', p95.length ? units.time(p95[p95.length - 1]) : '–', med.length ? `median ${units.time(med[med.length - 1])}` : ''));
    const failing = last(data.fails('http_req_failed', 'passes'));
    if (failing.length) {
      const share = mean(rate) ? Math.min(1, mean(failing) / mean(rate)) : 0;
      list.push(tile('Failed requests', units.share(share), `${units['/s'](mean(failing))}`, share ? 'bad' : ''));
    }
    const iterations = last(data.perSecond('iterations'));
    if (iterations.length) list.push(tile('Iterations per second', units['/s'](mean(iterations)).replace('/s', ''), ''));
    return list;
  }

  function tileParts(run, metric, data) {
    const [now, all] = [nowTiles(run, data), tiles(run, metric)];
    if (!now.length) return make('div', { class: 'tiles' }, all);
    const seconds = data ? Math.max(1, Math.ceil(5 / data.width)) * data.width : 5;
    return [
      make('p', { class: 'over-tiles' }, 'Now ', make('small', {}, `the last ${clock(seconds)}`)), make('div', { class: 'tiles' }, now),
      make('p', { class: 'over-tiles' }, 'Since the start'), make('div', { class: 'tiles' }, all),
    ];
  }

  const shareBar = (passes, fails) =>
    make('span', { class: `share ${passes + fails ? '' : 'none'}` }, make('i', { style: `width:${passes + fails ? (passes / (passes + fails)) * 100 : 0}%` }));

  function thresholdTable(run) {
    if (!run.thresholds.length) return null;
    const bad = run.thresholds.filter((one) => !one.ok).length;
    const rows = [...run.thresholds].sort((a, b) => a.ok - b.ok);
    return section('Thresholds', run.verdict.thresholds_judged ? (bad ? `${bad} of ${run.thresholds.length} crossed` : rows.length === 1 ? 'it holds' : 'all hold') : 'not judged', table('thresholds', [
      ['Metric', (row) => [make('span', { class: row.ok ? 'good' : 'bad' }, row.ok ? '✓ ' : '✗ '), make('code', {}, row.metric)]],
      ['Figure', (row) => make('code', { title: row.expression }, row.figure)],
      ['Seen', (row) => make('span', { class: row.ok ? '' : 'bad' }, row.text)],
      ['Wanted', (row) => row.wanted || make('code', {}, row.expression)],
    ], rows, undefined, 'stacked', bad ? Math.max(8, bad) : FEW_ROWS));
  }

  function checkTable(run) {
    const { text } = run.checks;
    if (!run.checks.list.length) return null;
    const list = [...run.checks.list].sort((a, b) => (b.fails > 0) - (a.fails > 0));
    const bad = list.filter((one) => one.fails).length;
    return section('Checks', `${text.total} in total, ${text.rate}`, table('checks', [
      ['Check', (row) => [make('span', { class: row.fails ? 'bad' : 'good' }, row.fails ? '✗ ' : '✓ '), row.name], (row) => row.name],
      ['Passed', (row) => units.default(row.passes), (row) => row.passes],
      ['Failed', (row) => (row.fails ? make('span', { class: 'bad' }, units.default(row.fails)) : '0'), (row) => row.fails],
      ['', (row) => [row.text, shareBar(row.passes, row.fails)], (row) => row.passes / Math.max(1, row.passes + row.fails)],
    ], list, undefined, '', bad ? Math.max(8, bad) : FEW_ROWS));
  }

  /// The series of an endpoint, below its row.
  function endpointDetail(run, row) {
    const { series: kept } = row;
    const seconds = Math.max(run.run.seconds, 0.001);
    if (!kept || !kept.points) return make('p', { class: 'soft' }, 'There are many endpoints, and the series of this one was not kept.');
    const durations = Object.fromEntries(['med', 'p(90)', 'p(95)', 'p(99)'].map((name) => [name, kept[name]]));
    const all = { requests: { sum: kept.requests }, failed: { sum: kept.failed }, durations };
    const data = series({ ...kept, series: all }, seconds, run.run.is_over);
    const { x, partial } = data;
    const line = (name, color, values, look) => ({ name, color, values, partial, ...look });
    const failed = row.failed ? [line('failed', 's4', data.perSecond('failed'), { area: true })] : [];
    const title = `${row.method} ${row.name}`.trim();
    return make('div', { class: 'charts' },
      chart({ title: 'Requests per second', label: title, unit: '/s', seconds, x, lines: [line('requests', 's1', data.perSecond('requests'), { area: true }), ...failed] }),
      chart({ title: 'Request duration', label: title, unit: 'time', seconds, x, bands: BANDS, lines: [['med', 's2'], ['p(90)', 's1'], ['p(95)', 's5'], ['p(99)', 's3']].map(([name, color]) => line(name, color, data.figure('durations', name))) }));
  }

  const shownEndpoints = new Set();

  function endpointTable(run) {
    if (!run.endpoints.length) return null;
    const figure = (name) => [name, (row) => row.duration.text[name], (row) => row.duration.values[name]];
    const key = (row) => `${run.name || ''} ${row.method} ${row.name}`;
    const toggle = (row) => { if (!shownEndpoints.delete(key(row))) shownEndpoints.add(key(row)); again(); };
    const folded = run.endpoints.filter((row) => row.names > 1);
    const many = (row) => (row.names >= 1000 ? '1,000 URLs or more' : `${row.names} URLs`);
    const name = (row) => [make('button', {
      type: 'button', class: 'row', 'data-key': `endpoint ${key(row)}`, 'aria-expanded': String(shownEndpoints.has(key(row))), title: 'Show or hide its series', onclick: () => toggle(row),
    }, make('span', { class: 'tag' }, row.method || row.protocol), row.name), row.names > 1 && make('span', { class: 'tag count' }, many(row))];
    const columns = [
      ['Request', name, (row) => row.name],
      ['Count', (row) => row.text.requests, (row) => row.requests],
      ['Rate', (row) => row.text.rate, (row) => row.rate],
      ['Failed', (row) => (row.failed ? make('span', { class: 'bad' }, row.text.failed) : row.text.failed), (row) => row.failed / Math.max(1, row.requests)],
      ...['avg', 'med', 'p(95)', 'p(99)', 'max'].map(figure),
    ];
    const detail = (row) => shownEndpoints.has(key(row)) && make('tr', { class: 'detail' }, make('td', { colspan: columns.length }, make('div', { class: 'inside' }, endpointDetail(run, row))));
    return section('Endpoints', `${run.endpoints.length}; a click shows one over time`,
      table('endpoints', columns, run.endpoints, { column: 1, falls: true }, '', FEW_ROWS, detail),
      folded.length ? make('p', { class: 'advice' }, folded.length === 1 ? 'The row with ' : 'Rows with ', make('code', {}, '{…}'), folded.length === 1 ? ' stands' : ' stand',
        ' for URLs that differ only in an id. Give such requests one name, and outputs will not keep a time series for each: ',
        make('code', {}, "http.get(url, { tags: { name: 'items/{id}' } })")) : null);
  }

  function errorTable(run) {
    if (!run.errors.length) return null;
    return section('Errors', counted(run.errors.reduce((sum, one) => sum + one.count, 0), 'request'), table('errors', [
      ['Error', (row) => row.text, (row) => row.text], ['Code', (row) => row.code || '–', (row) => row.code],
      ['Requests', (row) => units.default(row.count), (row) => row.count], ['First seen in', (row) => make('code', {}, row.example)],
    ], run.errors, undefined, 'stacked', 8));
  }

  /// Groups of all scenarios as one list, inner ones after the ones around them.
  function groupTable(run) {
    const rows = [];
    const walk = (groups, path) => groups.forEach((group) => {
      const name = path ? `${path} › ${group.name}` : group.name;
      const duration = group.metrics.find((metric) => metric.name === 'group_duration');
      rows.push({ name, duration, checks: group.checks });
      walk(group.groups, name);
    });
    walk(run.groups, '');
    run.scenarios.forEach((scenario) => walk(scenario.groups, scenario.name));
    if (!rows.length) return null;
    const figure = (name) => [name, (row) => (row.duration ? row.duration.text[name] : '–'), (row) => (row.duration ? row.duration.values[name] : 0)];
    return section('Groups', 'duration and checks', table('groups', [
      ['Group', (row) => row.name, (row) => row.name], ...['count', 'avg', 'med', 'p(95)', 'max'].map(figure),
      ['Checks', (row) => (row.checks.list.length ? [row.checks.text.succeeded, shareBar(row.checks.passes, row.checks.fails)] : '–')],
    ], rows));
  }

  function scenarioTable(run) {
    if (!run.run.scenarios.length) return null;
    const of = (row, name) => {
      const known = run.scenarios.find((scenario) => scenario.name === row.name);
      return known && known.metrics.find((metric) => metric.name === name);
    };
    const cell = (name, figure) => (row) => { const found = of(row, name); return found ? found.text[figure] : '–'; };
    return section('Scenarios', null, table('scenarios', [
      ['Scenario', (row) => [make('div', {}, row.name), make('div', { class: 'soft' }, row.plan)]],
      ['Iterations', cell('iterations', 'count')], ['Requests', cell('http_reqs', 'count')], ['Failed', cell('http_req_failed', 'rate')],
      ['Duration p(95)', cell('http_req_duration', 'p(95)')], ['Iteration p(95)', cell('iteration_duration', 'p(95)')],
    ], run.run.scenarios));
  }

  function metricTables(run) {
    const name = (row) => (row.parent ? [make('span', { class: 'tag' }, '└'), row.name] : row.name);
    const of = (type) => run.metrics.filter((metric) => metric.type === type);
    const text = (key) => [key, (row) => row.text[key], (row) => row.values[key]];
    const list = [];
    const put = (type, title, columns) => {
      const rows = of(type);
      if (rows.length) list.push(section(title, null, table(type, [['Metric', name, (row) => row.name], ...columns], rows)));
    };
    const stats = run.run.trend_stats;
    put('trend', 'Trends', stats.map(text));
    const rest = [];
    const aside = (type, title, columns) => {
      const rows = of(type);
      if (rows.length) rest.push(section(title, null, table(type, [['Metric', name], ...columns], rows)));
    };
    aside('counter', 'Counters', [['Count', (row) => row.text.count], ['Rate', (row) => row.text.rate]]);
    aside('rate', 'Rates', [['Rate', (row) => row.text.rate], ['', (row) => `${row.text.passes} of ${units.default(row.values.passes + row.values.fails)}`]]);
    aside('gauge', 'Gauges', ['value', 'min', 'max'].map((key) => [key, (row) => row.text[key]]));
    if (rest.length) list.push(make('div', { class: 'two' }, rest));
    return list;
  }

  function healthPart(run, cards) {
    const { lag_ms: lag, network_lag_ms: network, cpu, memory } = run.health;
    const list = [];
    const add = (...facts) => list.push(tile(...facts));
    const late = (figures) => `median ${units.time(figures.med)}, most ${units.time(figures.max)}`;
    add('Script threads late, p(99)', units.time(lag['p(99)']), late(lag));
    add('Network threads late, p(99)', units.time(network['p(99)']), late(network));
    add('CPU', units.share(cpu.share), `of ${counted(cpu.cores, 'core')}, ${digits(cpu.seconds)} s in all`);
    add('Memory', units.data(memory.peak_bytes), 'peak');
    return section('Load generator', 'whether it could keep up', make('div', { class: 'tiles', style: 'margin:0 0 14px' }, list),
      cards.length ? make('div', { class: 'charts' }, cards) : null);
  }

  // A moment as readers write it; any other text stays as it is.
  function moment(text) {
    const isMoment = /^\d{4}-\d\d-\d\dT/.test(text);
    return isMoment ? new Date(text).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'medium' }) : text;
  }

  // Against the planned time, in which iterations may begin; how long they may then take to end is no part of it.
  function elapsed({ seconds, duration_seconds: planned, has_limit_only: isLimit }) {
    if (!planned) return `running for ${clock(seconds)}`;
    if (seconds > planned) return `${clock(planned)} planned are over; the last iterations are ending`;
    return `${clock(seconds)} of ${isLimit ? 'at most ' : ''}${clock(planned)}`;
  }

  function head(run) {
    const { passed, reason, exit_code: code, crossed, headline, is_good: isGood } = run.verdict;
    // Documents of before have no headline.
    const words = headline || (passed ? 'Passed' : 'Failed');
    const state = run.run.is_over ? [(headline ? isGood : passed) ? 'good' : 'bad', prose(words)] : ['running', 'Running'];
    const facts = [
      moment(run.run.started),
      run.run.is_over ? `ran ${clock(run.run.seconds)}` : elapsed(run.run),
      `${run.generator.name} ${run.generator.version}`, run.generator.engine,
    ];
    const notes = [];
    if (run.run.is_over && !passed) notes.push(make('div', { class: 'note bad' }, prose(`Exit code ${code}: ${reason || 'failed'}`)));
    else if (!run.run.is_over && crossed.length) notes.push(make('div', { class: 'note bad' }, `Thresholds crossed so far: ${crossed.join(', ')}`));
    if (run.health.complaint) notes.push(make('div', { class: 'note warn' }, `The load generator could not keep up: ${run.health.complaint}`));
    return [make('header', { class: 'top' }, make('h1', {}, run.run.script), make('span', { class: `pill ${state[0]}` }, state[1]),
      make('p', { class: 'facts' }, facts.map((fact) => make('span', {}, fact)))), notes];
  }

  // What others saw of this run, in rows of texts.
  function lists(run) {
    return (run.lists || []).map((list) => section(list.title, list.note, table(`list ${list.title}`,
      list.columns.map((title, column) => [title, (row) => column === 0 && list.is_code ? make('code', {}, row[0]) : row[column]]),
      list.rows, undefined, 'stacked')));
  }

  // ---- A procedure: several runs and what they came to ------------------------------------------------------------

  function procedurePart(procedure) {
    if (!procedure) return null;
    const look = { APPROVED: 'good', 'APPROVED WITH FINDINGS': 'running', REHEARSAL: 'running', INCOMPLETE: 'running', RUNNING: 'running' }[procedure.verdict] || 'bad';
    const mark = (isGood) => make('span', { class: isGood ? 'good' : 'bad' }, isGood ? '✓ ' : '✗ ');
    const state = (row) => ({ pass: mark(true), 'to come': make('span', { class: 'soft' }, '· '), 'not measured': make('span', { class: 'warn' }, '? ') }[row.state] || mark(false));
    const colors = { pass: 'good', fail: 'bad', 'not measured': 'warn' };
    const grave = { blocking: 'bad', warning: 'warn' };
    const part = (title, small, rows, columns) => rows.length && section(title, small, table(`procedure ${title}`, columns, rows, undefined, 'stacked'));
    const order = ['fail', 'not measured', 'to come', 'pass'];
    const criteria = [...procedure.criteria].sort((a, b) => order.indexOf(a.state) - order.indexOf(b.state));
    const bad = criteria.filter((one) => one.state === 'fail').length;
    const isFirst = criteria.some((one) => one.state === 'fail' || one.state === 'not measured') || procedure.findings.some((one) => one.severity !== 'note');
    const judged = [
      part('Criteria', bad ? `${bad} of ${criteria.length} failed` : null, criteria, [
        ['Criterion', (row) => [state(row), row.name === row.expression ? make('code', {}, row.name) : [row.name, make('div', { class: 'soft' }, make('code', {}, row.expression))]]],
        ['Wanted', (row) => row.target_text], ['Achieved', (row) => make('div', { class: 'words' }, prose(row.achieved_text))],
        ['', (row) => make('span', { class: colors[row.state] || 'soft' }, row.state)],
      ]),
      part('Findings', null, procedure.findings, [
        ['Severity', (row) => make('span', { class: grave[row.severity] || '' }, row.severity + (row.usual_severity ? `, usually ${row.usual_severity}` : ''))],
        ['Found', (row) => make('div', { class: 'words' }, row.run ? make('span', { class: 'tag' }, row.run) : null, prose(row.text), make('div', { class: 'soft' }, prose(row.hint))), null, true],
      ]),
    ];
    const cards = make('div', { class: 'tiles cards' }, procedure.cards.map((card) => make('div', { class: 'tile' },
      make('div', { class: 'name' }, card.is_tolerated ? make('span', { class: 'warn' }, '! ') : card.is_good ? mark(true) : ['running', 'to come', 'skipped'].includes(card.state) ? null : ['not run', 'interrupted', 'killed'].includes(card.state) ? make('span', { class: 'warn' }, '? ') : mark(false), card.name),
      make('div', { class: 'more' }, card.state === 'finished' ? card.plan : `${card.state}: ${card.plan}`),
      card.note && make('div', { class: 'more' }, card.note),
      make('table', {}, make('tbody', {}, card.figures.map(([title, text]) => make('tr', {}, make('td', { class: 'text' }, title), make('td', {}, text))))))));
    const top = [
      make('header', { class: 'top' }, make('h1', {}, procedure.name), make('span', { class: `pill ${look}` }, procedure.words || procedure.verdict),
        make('p', { class: 'reason' }, prose(procedure.reason)),
        make('p', { class: 'facts' }, [...procedure.facts.map((fact) => fact && moment(fact)), procedure.data].filter(Boolean).map((fact) => make('span', {}, fact)))),
      procedure.notes.map((note) => make('div', { class: 'note warn' }, note)),
    ];
    const rest = [
      isFirst ? [judged, procedure.cards.length ? section('Runs', null, cards) : null] : [cards, judged],
      laidOver(),
      part('Against the baseline', null, procedure.comparison, [
        ['Figure', (row) => [make('span', { class: 'tag' }, row.run), row.figure]], ['Baseline', (row) => row.baseline], ['Run', (row) => row.value],
        ['Difference', (row) => make('span', { class: { better: 'good', worse: 'bad' }[row.direction] || '' }, row.difference)],
      ]),
      part('Checks before the runs', null, procedure.checks, [
        ['Check', (row) => [row.is_warning ? make('span', { class: 'warn' }, '! ') : mark(row.is_good), row.name]], ['Seen', (row) => make('div', { class: 'words' }, prose(row.text), row.hint && make('div', { class: 'soft' }, prose(row.hint))), null, true],
      ]),
    ];
    return { top, rest };
  }

  /// All runs of a report in the same charts, each from its own start.
  function laidOver() {
    if (report.runs.length < 2) return null;
    const colors = ['s1', 's3', 's4', 's2', 's5', 's6'];
    const all = report.runs.map((run, place) => ({ run, color: colors[place % colors.length], data: series(run.timeline, run.run.seconds, run.run.is_over) })).filter(({ data }) => data);
    const seconds = Math.max(0.001, ...all.map(({ run }) => run.run.seconds));
    const failed = (data) => {
      const [bad, rate] = [data.fails('http_req_failed', 'passes'), data.perSecond('http_reqs')];
      return bad && rate && bad.map((value, place) => (rate[place] ? Math.min(1, value / rate[place]) : null));
    };
    const cards = [
      ['Requests per second', '/s', (data) => data.perSecond('http_reqs')],
      ['Duration p(95)', 'time', (data) => data.figure('http_req_duration', 'p(95)')],
      ['Failed requests', 'share', failed],
      ['Active virtual users', 'default', (data) => data.held('vus', 'value')],
    ].map(([title, unit, values]) => {
      const lines = all.map(({ run, color, data }) => ({ name: run.name || run.run.script, color, x: data.x, values: values(data), partial: data.partial })).filter((line) => line.values && line.values.some((value) => value !== null));
      // A chart of nothing but zeros says less than its absence.
      return lines.some((line) => some(line.values)) && chart({ title, label: 'all runs', unit, seconds, x: lines[0].x, lines });
    });
    return section('Runs overlaid', 'each from its own start', make('div', { class: 'charts' }, cards));
  }

  // ---- The page -------------------------------------------------------------------------------------------------

  let report = null;
  // The run somebody chose; before, that is the one that goes on, or the first.
  let chosen = null;
  let shown = null;
  const again = () => show(shown);

  function show(next) {
    shown = next;
    report = next.format === 'volley-report' ? next : { runs: [next] };
    charts.length = 0;
    frames.length = 0;
    const focused = document.activeElement && document.activeElement.dataset.key;
    const before = procedurePart(report.procedure);
    const { is_live: isGoing, current } = report.procedure || {};
    const place = Math.min(chosen ?? (isGoing ? Infinity : 0), report.runs.length - 1);
    // A run that has said nothing yet is not shown as one of those before it.
    const isAwaited = chosen === null && isGoing && current && !report.runs.some((one) => one.name === current);
    const run = isAwaited || !report.runs.length ? [] : runPart(report.runs[place], place, before);
    const { top, rest } = before || { top: [], rest: [] };
    // While a run goes on, it is what people came for.
    const isLive = report.procedure && report.procedure.is_live && !report.runs.every((one) => one.run.is_over);
    const parts = isLive ? [top, run, rest] : [top, rest, run];
    document.getElementById('page').replaceChildren(...[parts, run.length ? foot(report.runs[place]) : null].flat(9).filter(Boolean));
    const name = report.procedure ? report.procedure.name : report.runs[0].run.script;
    document.title = report.runs.length ? `${name} · ${report.runs[place].generator.name}` : name || 'volley';
    charts.forEach(paint);
    frames.forEach((frame) => settle(...frame));
    const same = focused && document.querySelector(`[data-key="${CSS.escape(focused)}"]`);
    if (same) same.focus({ preventScroll: true });
    document.documentElement.dataset.drawn = 'yes';
  }

  function foot(run) {
    const save = () => {
      const link = make('a', { href: URL.createObjectURL(new Blob([JSON.stringify(report.procedure || report.runs.length > 1 ? report : run)], { type: 'application/json' })), download: 'summary.json' });
      link.click();
    };
    return make('footer', {}, make('span', {}, `${run.generator.name} ${run.generator.version}, behaves as k6 ${run.generator.k6_version}`),
        make('button', { type: 'button', onclick: save }, 'Save the data as JSON'));
  }

  /// One run with everything that was measured.
  function runPart(run, place, before) {
    const metric = (name) => run.metrics.find((one) => one.name === name);
    const data = series(run.timeline, run.run.seconds, run.run.is_over);
    const time = data ? overTime(run, data) : { cards: [], more: [], own: [] };
    const cards = [...time.cards, ...panels(run)];
    const choice = report.runs.length > 1 && make('nav', { class: 'runs' }, report.runs.map((one, number) =>
      make('button', { type: 'button', 'data-key': `run ${number}`, 'aria-pressed': String(number === place), onclick: () => { chosen = number; again(); } }, one.name || one.run.script)));
    // What went wrong comes first.
    const hasCrossed = run.thresholds.some((one) => !one.ok);
    const wrong = [hasCrossed && thresholdTable(run), errorTable(run), run.checks.fails > 0 && checkTable(run)];
    const cut = data && data.partial ? `; the last interval, dashed, is only ${clock(data.last)} long` : '';
    return [
      before ? [choice, head(run)] : [head(run), choice], wrong,
      wrong.some(Boolean) ? section('Figures', null) : null, tileParts(run, metric, data),
      cards.length ? section('Over time', data ? `in intervals of ${clock(data.width)}${cut}` : null, make('div', { class: 'charts' }, cards)) : null,
      hasCrossed ? null : thresholdTable(run), run.checks.fails > 0 ? null : checkTable(run), endpointTable(run), scenarioTable(run), groupTable(run), metricTables(run),
      time.more.length ? section('More over time', 'metrics of the script and of other protocols', make('div', { class: 'charts' }, time.more)) : null,
      lists(run), healthPart(run, time.own),
    ];
  }

  show(JSON.parse(document.getElementById('document').textContent));
  new ResizeObserver(() => {
    charts.forEach((view) => {
      if (view.svg.clientWidth && Math.abs(view.svg.clientWidth - view.width) > 1) paint(view);
    });
    frames.forEach((frame) => settle(...frame));
  }).observe(document.getElementById('page'));
  if (document.documentElement.dataset.mode === 'live') {
    const events = new EventSource('/events');
    const isOver = () => report.procedure && !report.procedure.is_live;
    const silence = make('div', { class: 'note warn lost', role: 'status' }, 'The connection is lost. This is the last state received.');
    events.addEventListener('document', (event) => {
      silence.remove();
      show(JSON.parse(event.data));
      // A procedure that has ended says nothing more, and its page stays as it is.
      if (isOver()) events.close();
    });
    events.addEventListener('error', () => {
      if (!isOver()) document.getElementById('page').before(silence);
    });
  }
})();
