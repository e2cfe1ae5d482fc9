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

  const digits = (value, most = 3) => {
    const size = Math.abs(value);
    if (size >= 1000) return Math.round(value).toLocaleString('en-US');
    return String(Number(value.toPrecision(most)));
  };
  const scaled = (value, steps) => {
    const size = Math.abs(value);
    const [limit, unit] = steps.find(([limit]) => size >= limit) || steps[steps.length - 1];
    return `${digits(value / limit)}${unit}`;
  };
  const units = {
    time: (ms) => (ms === 0 ? '0ms' : scaled(ms, [[60000, 'm'], [1000, 's'], [1, 'ms'], [0.001, 'µs']])),
    data: (bytes) => scaled(bytes, [[1e9, ' GB'], [1e6, ' MB'], [1e3, ' kB'], [1, ' B']]),
    share: (share) => `${digits(share * 100)}%`,
    default: (value) => (Math.abs(value) >= 1e6 ? scaled(value, [[1e9, 'G'], [1e6, 'M']]) : digits(value, 4)),
  };
  units['data/s'] = (value) => `${units.data(value)}/s`;
  units['/s'] = (value) => `${units.default(value)}/s`;

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

  /// A chart of lines over seconds. `lines`: name, color, values (null: nothing seen), maybe `area`.
  function chart(spec) {
    const svg = draw('svg', { role: 'img', tabindex: 0, 'aria-label': spec.title });
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
      const now = pointed === null ? -1 : nearest(spec.x, pointed);
      point(spec.x[Math.min(spec.x.length - 1, Math.max(0, now + way))]);
    });
    charts.push(view);
    return card;
  }

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
    for (const line of shown) {
      const seen = line.values.map((value, place) => [spec.x[place], value]).filter(([, value]) => value !== null && Number.isFinite(value));
      if (!seen.length) continue;
      const path = seen.map(([x, y], place) => {
        const step = line.step && place > 0 ? `H${X(x).toFixed(1)}V${Y(y).toFixed(1)}` : null;
        return step || `${place ? 'L' : 'M'}${X(x).toFixed(1)} ${Y(y).toFixed(1)}`;
      }).join('');
      if (line.area && seen.length > 1) {
        const base = Y(Math.max(0, floor)).toFixed(1);
        parts.push(draw('path', { class: 'wash', color: line.color, d: `${path}L${X(seen[seen.length - 1][0]).toFixed(1)} ${base}L${X(seen[0][0]).toFixed(1)} ${base}Z` }));
      }
      parts.push(draw('path', { class: seen.length > 200 ? 'fine trace' : 'trace', color: line.color, d: path }));
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
    const place = pointed === null || !spec.x.length ? null : nearest(spec.x, Math.min(pointed, spec.seconds));
    at.textContent = place === null ? '' : `at ${clock(spec.x[place])}`;
    legend.replaceChildren(...spec.lines.map((line) => {
      const key = `${spec.title}/${line.name}`;
      const value = place === null ? undefined : line.values[place];
      const text = value === undefined ? null : value === null ? '–' : view.format(value);
      return make('button', {
        type: 'button', 'aria-pressed': String(!hidden.has(key)), title: 'Show or hide',
        onclick: () => { if (!hidden.delete(key)) hidden.add(key); paint(view); },
      }, make('i', { color: line.color }), line.name, text === null ? null : make('b', {}, text));
    }));
    if (place === null) return pointer.replaceChildren();
    const x = view.X(spec.x[place]);
    const dots = view.shown.filter((line) => line.values[place] !== null && Number.isFinite(line.values[place]))
      .map((line) => draw('circle', { class: 'mark', color: line.color, cx: x, cy: view.Y(line.values[place]), r: 4 }));
    pointer.replaceChildren(draw('line', { class: 'cross', x1: x, x2: x, y1: view.above, y2: view.height - view.below }), ...dots);
  }

  // ---- Tables ---------------------------------------------------------------------------------------------------

  const FEW_ROWS = 40;
  const sorted = new Map();
  const opened = new Set();

  /// A table. `columns`: [title, cell of a row, sort key of a row]. A cell is text or an element.
  // `look` is how it looks where there is little room: `stacked` puts the cells of a row below each other.
  function table(name, columns, rows, first, look = '') {
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
      const all = opened.has(name) || list.length <= FEW_ROWS * 1.25;
      const heads = columns.map(([title, , key], column) => {
        if (!key) return make('th', { scope: 'col' }, title);
        const sort = order && order.column === column ? (order.falls ? 'descending' : 'ascending') : null;
        const falls = sort ? !order.falls : column > 0;
        return make('th', { scope: 'col', 'aria-sort': sort },
          make('button', { type: 'button', onclick: () => { sorted.set(name, { column, falls }); show(); } }, title));
      });
      const body = (all ? list : list.slice(0, FEW_ROWS)).map((row) => make('tr', {}, columns.map(([, cell], column) => {
        const content = cell(row);
        const isZero = column > 0 && (content === '0' || content === '0.00%' || content === '0/s' || content === '–');
        return make('td', { class: column === 0 ? 'text' : isZero ? 'zero' : null, 'data-title': (look && column > 0 && columns[column][0]) || null }, content);
      })));
      box.replaceChildren(
        make('div', { class: `card table ${look}` }, make('table', {}, make('thead', {}, make('tr', {}, heads)), make('tbody', {}, body))),
        all ? '' : make('p', { class: 'more-rows' }, make('button', { type: 'button', onclick: () => { opened.add(name); show(); } }, `Show all ${list.length}`)));
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
      x,
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

  function overTime(run, data) {
    const seconds = Math.max(run.run.seconds, 0.001);
    const cards = [];
    const add = (title, unit, lines, to = cards) => {
      const present = lines.filter((line) => line[2] && line[2].some((value) => value !== null));
      if (!present.length) return;
      to.push(chart({ title, unit, seconds, x: data.x, lines: present.map(([name, color, values, look]) => ({ name, color, values, ...look })) }));
    };
    const trend = (name) => [
      ['med', 's2', data.figure(name, 'med')], ['p(90)', 's1', data.figure(name, 'p(90)')],
      ['p(95)', 's5', data.figure(name, 'p(95)')], ['p(99)', 's3', data.figure(name, 'p(99)')],
    ];
    const area = { area: true };
    add('Requests per second', '/s', [['requests', 's1', data.perSecond('http_reqs'), area], ['failed', 's4', some(data.fails('http_req_failed', 'passes')), area]]);
    add('Request duration', 'time', trend('http_req_duration'));
    add('Virtual users', 'default', [['active', 's1', data.held('vus', 'value'), { area: true, step: true }], ['ready', 's6', data.held('vus_max', 'value'), { step: true }]]);
    add('Errors per second', '/s', [
      ['failed requests', 's4', data.fails('http_req_failed', 'passes'), area], ['failed checks', 's3', data.fails('checks', 'fails')],
      ['dropped iterations', 's5', data.perSecond('dropped_iterations')],
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

  function tiles(run, metric) {
    const list = [];
    const tile = (name, figure, more, look) => list.push(make('div', { class: 'tile' },
      make('div', { class: 'name' }, name), make('div', { class: `figure ${look || ''}` }, figure), make('div', { class: 'more' }, more || '\u00a0')));
    const [requests, duration, failed] = ['http_reqs', 'http_req_duration', 'http_req_failed'].map(metric);
    const [iterations, vus, dropped] = ['iterations', 'vus_max', 'dropped_iterations'].map(metric);
    if (requests) tile('Requests', requests.text.count, requests.text.rate);
    if (duration) tile('Duration p(95)', duration.text['p(95)'], `median ${duration.text.med}`);
    if (failed) tile('Failed requests', failed.text.rate, `${failed.values.passes} out of ${failed.values.passes + failed.values.fails}`, failed.values.passes ? 'bad' : '');
    if (run.checks.list.length) tile('Checks succeeded', run.checks.text.succeeded, `${run.checks.passes} out of ${run.checks.passes + run.checks.fails}`, run.checks.fails ? 'bad' : '');
    if (iterations) tile('Iterations', iterations.text.count, dropped ? `${dropped.text.count} dropped` : iterations.text.rate, dropped ? 'bad' : '');
    if (vus) tile('Virtual users', vus.text.max, `of ${run.run.max_vus} planned`);
    return list;
  }

  const shareBar = (passes, fails) =>
    make('span', { class: `share ${passes + fails ? '' : 'none'}` }, make('i', { style: `width:${passes + fails ? (passes / (passes + fails)) * 100 : 0}%` }));

  function thresholdTable(run) {
    if (!run.thresholds.length) return null;
    const bad = run.thresholds.filter((one) => !one.ok).length;
    return section('Thresholds', run.verdict.thresholds_judged ? (bad ? `${bad} crossed` : 'all hold') : 'not judged', table('thresholds', [
      ['Metric', (row) => [make('span', { class: row.ok ? 'good' : 'bad' }, row.ok ? '✓ ' : '✗ '), make('code', {}, row.metric)]],
      ['Must hold', (row) => make('code', {}, row.expression)],
      ['Seen', (row) => make('span', { class: row.ok ? '' : 'bad' }, `${row.figure}=${row.text}`)],
    ], run.thresholds, undefined, 'stacked'));
  }

  function checkTable(run) {
    const { list, text } = run.checks;
    if (!list.length) return null;
    return section('Checks', `${text.total} in total, ${text.rate}`, table('checks', [
      ['Check', (row) => [make('span', { class: row.fails ? 'bad' : 'good' }, row.fails ? '✗ ' : '✓ '), row.name], (row) => row.name],
      ['Passed', (row) => String(row.passes), (row) => row.passes],
      ['Failed', (row) => String(row.fails), (row) => row.fails],
      ['', (row) => [row.text, shareBar(row.passes, row.fails)], (row) => row.passes / Math.max(1, row.passes + row.fails)],
    ], list));
  }

  function endpointTable(run) {
    if (!run.endpoints.length) return null;
    const figure = (name) => [name, (row) => row.duration.text[name], (row) => row.duration.values[name]];
    return section('Endpoints', `${run.endpoints.length}`, table('endpoints', [
      ['Request', (row) => [make('span', { class: 'tag' }, row.method || row.protocol), row.name], (row) => row.name],
      ['Count', (row) => row.text.requests, (row) => row.requests],
      ['Rate', (row) => row.text.rate, (row) => row.rate],
      ['Failed', (row) => (row.failed ? make('span', { class: 'bad' }, row.text.failed) : row.text.failed), (row) => row.failed / Math.max(1, row.requests)],
      ...['avg', 'med', 'p(95)', 'p(99)', 'max'].map(figure),
    ], run.endpoints, { column: 1, falls: true }));
  }

  function errorTable(run) {
    if (!run.errors.length) return null;
    return section('Errors', `${run.errors.reduce((sum, one) => sum + one.count, 0)} requests`, table('errors', [
      ['Error', (row) => row.text, (row) => row.text], ['Code', (row) => row.code || '–', (row) => row.code],
      ['Requests', (row) => String(row.count), (row) => row.count], ['First seen in', (row) => make('code', {}, row.example)],
    ], run.errors));
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
    aside('rate', 'Rates', [['Rate', (row) => row.text.rate], ['', (row) => `${row.values.passes} out of ${row.values.passes + row.values.fails}`]]);
    aside('gauge', 'Gauges', ['value', 'min', 'max'].map((key) => [key, (row) => row.text[key]]));
    if (rest.length) list.push(make('div', { class: 'two' }, rest));
    return list;
  }

  function healthPart(run, cards) {
    const { lag_ms: lag, network_lag_ms: network, cpu, memory } = run.health;
    const list = [];
    const tile = (name, figure, more) => list.push(make('div', { class: 'tile' },
      make('div', { class: 'name' }, name), make('div', { class: 'figure' }, figure), make('div', { class: 'more' }, more)));
    const late = (figures) => `median ${units.time(figures.med)}, most ${units.time(figures.max)}`;
    tile('Scripts late p(99)', units.time(lag['p(99)']), late(lag));
    tile('Network late p(99)', units.time(network['p(99)']), late(network));
    tile('CPU', units.share(cpu.share), `of ${cpu.cores} core${cpu.cores === 1 ? '' : 's'}, ${digits(cpu.seconds)}s in all`);
    tile('Memory', units.data(memory.peak_bytes), 'at most');
    return section('Load generator', 'whether it could keep up', make('div', { class: 'tiles', style: 'margin:0 0 14px' }, list),
      cards.length ? make('div', { class: 'charts' }, cards) : null);
  }

  // A moment as readers write it; any other text stays as it is.
  function moment(text) {
    const isMoment = /^\d{4}-\d\d-\d\dT/.test(text);
    return isMoment ? new Date(text).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'medium' }) : text;
  }

  function head(run) {
    const { passed, reason, exit_code: code, crossed } = run.verdict;
    const state = !run.run.is_over ? ['running', 'Running'] : passed ? ['good', 'Passed'] : ['bad', 'Failed'];
    const facts = [
      moment(run.run.started),
      run.run.is_over ? `ran ${clock(run.run.seconds)}` : `${clock(run.run.seconds)} of at most ${clock(run.run.planned_seconds)}`,
      `${run.generator.name} ${run.generator.version}`, run.generator.engine,
    ];
    const notes = [];
    if (run.run.is_over && !passed) notes.push(make('div', { class: 'note bad' }, `Exit code ${code}: ${reason || 'failed'}`));
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
    const look = { APPROVED: 'good', 'APPROVED WITH FINDINGS': 'running', REHEARSAL: 'running', INCOMPLETE: 'running' }[procedure.verdict] || 'bad';
    const mark = (isGood) => make('span', { class: isGood ? 'good' : 'bad' }, isGood ? '✓ ' : '✗ ');
    const part = (title, small, rows, columns) => rows.length && section(title, small, table(`procedure ${title}`, columns, rows, undefined, 'stacked'));
    return [
      make('header', { class: 'top' }, make('h1', {}, procedure.name), make('span', { class: `pill ${look}` }, procedure.words || procedure.verdict),
        make('p', { class: 'facts' }, [procedure.reason, ...procedure.facts.map((fact) => moment(fact)), procedure.data].filter(Boolean).map((fact) => make('span', {}, fact)))),
      procedure.notes.map((note) => make('div', { class: 'note warn' }, note)),
      make('div', { class: 'tiles cards' }, procedure.cards.map((card) => make('div', { class: 'tile' },
        make('div', { class: 'name' }, mark(card.is_good), card.name), make('div', { class: 'more' }, card.is_good ? card.plan : `${card.state}: ${card.plan}`),
        card.note && make('div', { class: 'more' }, card.note),
        make('table', {}, make('tbody', {}, card.figures.map(([title, text]) => make('tr', {}, make('td', { class: 'text' }, title), make('td', {}, text)))))))),
      part('Criteria', null, [...procedure.criteria].sort((a, b) => (a.state === 'pass') - (b.state === 'pass')), [
        ['Criterion', (row) => [mark(row.state === 'pass'), row.name === row.expression ? make('code', {}, row.name) : [row.name, make('div', { class: 'soft' }, make('code', {}, row.expression))]]],
        ['Target', (row) => make('code', {}, row.target_text)], ['Achieved', (row) => row.achieved_text],
        ['', (row) => make('span', { class: row.state === 'pass' ? 'good' : 'bad' }, row.state)],
      ]),
      part('Findings', null, procedure.findings, [
        ['Severity', (row) => make('span', { class: row.severity === 'blocking' ? 'bad' : '' }, row.severity + (row.usual_severity ? `, usually ${row.usual_severity}` : ''))],
        ['Found', (row) => [row.run ? make('span', { class: 'tag' }, row.run) : null, row.text, make('div', { class: 'soft' }, row.hint)]],
      ]),
      part('Against the baseline', null, procedure.comparison, [
        ['Figure', (row) => [make('span', { class: 'tag' }, row.run), row.figure]], ['Baseline', (row) => row.baseline], ['Run', (row) => row.value],
        ['Difference', (row) => make('span', { class: { better: 'good', worse: 'bad' }[row.direction] || '' }, row.difference)],
      ]),
      part('Checks before', null, procedure.checks, [
        ['Check', (row) => [mark(row.is_good), row.name]], ['Seen', (row) => make('div', { class: 'words' }, row.text, row.hint && make('div', { class: 'soft' }, row.hint))],
      ]),
    ];
  }

  // ---- The page -------------------------------------------------------------------------------------------------

  let report = null;
  let chosen = 0;

  function show(next) {
    report = next.format === 'volley-report' ? next : { runs: [next] };
    const before = procedurePart(report.procedure);
    if (!report.runs.length) {
      document.getElementById('page').replaceChildren(...[before].flat(9).filter(Boolean));
      document.title = report.procedure ? report.procedure.name : 'volley';
      document.documentElement.dataset.drawn = 'yes';
      return;
    }
    const run = report.runs[Math.min(chosen, report.runs.length - 1)];
    const metric = (name) => run.metrics.find((one) => one.name === name);
    charts.length = 0;
    const data = series(run.timeline, run.run.seconds, run.run.is_over);
    const time = data ? overTime(run, data) : { cards: [], more: [], own: [] };
    const cards = [...time.cards, ...panels(run)];
    const choice = report.runs.length > 1 && make('nav', { class: 'runs' }, report.runs.map((one, place) =>
      make('button', { type: 'button', 'aria-pressed': String(place === chosen), onclick: () => { chosen = place; show(report); } }, one.name || one.run.script)));
    const save = () => {
      const link = make('a', { href: URL.createObjectURL(new Blob([JSON.stringify(next)], { type: 'application/json' })), download: 'summary.json' });
      link.click();
    };
    document.getElementById('page').replaceChildren(...[
      before, before ? [choice, head(run)] : [head(run), choice],
      make('div', { class: 'tiles' }, tiles(run, metric)),
      cards.length ? section('Over time', null, make('div', { class: 'charts' }, cards)) : null,
      thresholdTable(run), checkTable(run), endpointTable(run), errorTable(run), scenarioTable(run), groupTable(run), metricTables(run),
      time.more.length ? section('More over time', 'metrics of the script and of other protocols', make('div', { class: 'charts' }, time.more)) : null,
      lists(run), healthPart(run, time.own),
      make('footer', {}, make('span', {}, `${run.generator.name} ${run.generator.version}, behaves as k6 ${run.generator.k6_version}`),
        make('button', { type: 'button', onclick: save }, 'Save the data as JSON')),
    ].flat(9).filter(Boolean));
    document.title = `${report.procedure ? report.procedure.name : run.run.script} · ${run.generator.name}`;
    charts.forEach(paint);
    document.documentElement.dataset.drawn = 'yes';
  }

  show(JSON.parse(document.getElementById('document').textContent));
  new ResizeObserver(() => charts.forEach((view) => {
    if (view.svg.clientWidth && Math.abs(view.svg.clientWidth - view.width) > 1) paint(view);
  })).observe(document.getElementById('page'));
  if (document.documentElement.dataset.mode === 'live') {
    const events = new EventSource('/events');
    events.addEventListener('document', (event) => show(JSON.parse(event.data)));
  }
})();
