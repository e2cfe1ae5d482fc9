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
    // Of two distributions together a percentile is at most the greater of both; the median is near the one of most values.
    const greater = (one, more) => (one === null ? more : Math.max(one, more));
    const weighted = (counts) => (one, more) => {
      const [before, after] = [(counts || [])[count - 1] || 0, (counts || [])[count] || 0];
      return one === null || !before ? more : (one * before + more * after) / (before + after);
    };
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
      figure: (name, figure) => all[name] && join(all[name][figure], ['med', 'avg'].includes(figure) ? weighted(all[name].count) : greater),
      /// How many requests of an interval got no answer, and which share of all; nothing where all did.
      unanswered: (name) => {
        if (!all[name] || !some(all[name].unanswered)) return undefined;
        const [missing, answered] = [join(all[name].unanswered, sum), join(all[name].count, sum)];
        return { values: missing, share: missing.map((value, place) => (value ? value / (value + (answered[place] || 0)) : 0)) };
      },
      held: (name, figure) => {
        if (!all[name]) return undefined;
        let last = null;
        const both = figure === 'max' ? (one, more) => Math.max(one ?? more, more) : (_, more) => more;
        return join(all[name][figure], both).map((value) => { if (value !== null) last = value; return last; });
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
      const present = lines.filter((line) => line && line[2] && line[2].some((value) => value !== null));
      if (!present.length) return;
      to.push(chart({ title, unit, seconds, x: data.x, width: data.width, bands: BANDS, lines: present.map(([name, color, values, look]) => ({ name, color, values, partial: data.partial, ...look })) }));
    };
    const trend = (name) => [
      ['med', 's2', data.figure(name, 'med')], ['p(90)', 's1', data.figure(name, 'p(90)')],
      ['p(95)', 's5', data.figure(name, 'p(95)')], ['p(99)', 's3', data.figure(name, 'p(99)')],
      noAnswer(data.unanswered(name)),
    ];
    const area = { area: true };
    const [failing, missing] = [some(data.fails('http_req_failed', 'passes')), data.unanswered('http_req_duration')];
    // A script may want no response to be judged; requests without one are told all the same.
    const bad = failing ? ['failed', 's4', failing, area] : missing && ['no answer', 's4', missing.values.map((value, place) => (value || 0) / data.lasts[place]), area];
    add('Requests per second', '/s', [['requests', 's1', data.perSecond('http_reqs'), area], bad]);
    // Requests that nobody answered took no time that says anything.
    const hasNoTimes = (name) => run.metrics.some((one) => one.name === name && one.answered && !one.answered.values.count);
    if (!hasNoTimes('http_req_duration')) add('Request duration', 'time', trend('http_req_duration'));
    for (const [name, title, what] of [['http_req_duration', 'Distribution of request durations', 'request'], ['grpc_req_duration', 'Distribution of gRPC call durations', 'call']]) {
      const found = run.metrics.find((one) => one.name === name);
      if (found && found.distribution && found.values.count && !hasNoTimes(name)) cards.push(spread(title, 'time', found.distribution, (found.answered || found).values, what, found.answered && `of answered ${what}s only`));
    }
    // Of an interval the most, so that no peak is lost.
    add('Virtual users', 'default', [['ready', 's6', data.held('vus_max', 'max'), { step: true }], ['active', 's1', data.held('vus', 'max'), { area: true, step: true }]]);
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
      if (type === 'gauge') {
        const [last, most] = [data.held(name, 'value'), data.held(name, 'max')];
        const hasPeaks = most && most.some((value, place) => value !== last[place]);
        add(name, unit, [[hasPeaks ? 'last' : 'value', 's1', last], hasPeaks && ['maximum', 's3', most]], more);
      }
      if (type === 'trend') add(name, unit, trend(name), more);
    }
    const own = [];
    add('Lateness of threads, p(99)', 'time', [['scripts', 's1', data.figure('generator_lag', 'p(99)')], ['network', 's3', data.figure('generator_network_lag', 'p(99)')]], own);
    add('CPU share of all cores', 'share', [['share', 's1', data.held('generator_cpu', 'max'), area]], own);
    return { cards, more, own };
  }

  /// The lane of requests without an answer, above their durations.
  const noAnswer = (unanswered) => unanswered && ['no answer', 's4', unanswered.values, { share: unanswered.share }];

  /// What a series of a collector is in its panel: `db_connections_idle` is `idle` in `Database connections`.
  function seriesWords(name, panel) {
    if (name.startsWith(`${panel.title}{`)) return name.slice(panel.title.length + 1, -1);
    const all = (panel.lines || []).map((line) => line.name.split('_'));
    const words = name.split('_');
    let shared = 0;
    while (all.length > 1 && all.every((other) => other[shared] !== undefined && other[shared] === words[shared])) shared += 1;
    // A name that all others begin with stands for their sum.
    if (shared === words.length) return 'all';
    const known = panel.title.toLowerCase().split(' ');
    const left = words.slice(shared).filter((word) => !known.includes(word));
    return (left.length ? left : words.slice(-1)).join(' ');
  }

  /// Nothing but zeros is no line worth drawing.
  const some = (values) => (values && values.some((value) => value) ? values : undefined);

  function panels(run) {
    return (run.panels || []).map((panel) => {
      const x = panel.x || [];
      const colors = ['s1', 's2', 's3', 's5', 's4', 's6'];
      const lines = (panel.lines || []).map((line, place) => ({ name: seriesWords(line.name, panel), raw: line.name, color: colors[place % colors.length], values: line.values }));
      return chart({ title: panel.title, unit: panel.unit, seconds: Math.max(run.run.seconds, ...x, 0.001), x, lines });
    });
  }

  const tile = (name, figure, more, look) => make('div', { class: 'tile' },
    make('div', { class: 'name' }, name), make('div', { class: `figure ${look || ''}` }, figure), make('div', { class: 'more' }, more || '\u00a0'));

  function tiles(run, metric, data) {
    const list = [];
    const add = (...facts) => list.push(tile(...facts));
    const [requests, duration, failed] = ['http_reqs', 'http_req_duration', 'http_req_failed'].map(metric);
    const [iterations, vus, dropped] = ['iterations', 'vus', 'dropped_iterations'].map(metric);
    const isOver = run.run.is_over;
    if (requests) add('Requests', requests.text.count, requests.text.rate);
    if (duration) {
      // Where some got no answer, the times of those that did say more.
      const { text, values } = duration.answered || duration;
      const missing = duration.answered && units.default(duration.values.count - values.count);
      add('Duration p(95)', values.count ? text['p(95)'] : '–', !values.count ? 'no request was answered' : `median ${text.med}${missing ? `, without ${missing} that got no answer` : ''}`);
    }
    if (failed) add('Failed requests', failed.text.rate, `${failed.text.passes} of ${units.default(failed.values.passes + failed.values.fails)}`, failed.values.passes ? 'bad' : '');
    if (run.checks.list.length) add('Checks succeeded', run.checks.text.succeeded, `${units.default(run.checks.passes)} of ${run.checks.text.total}`, run.checks.fails ? 'bad' : '');
    if (iterations) add('Iterations', iterations.text.count, dropped ? `${dropped.text.count} dropped` : iterations.text.rate, dropped ? 'bad' : '');
    const peak = data && data.get('vus') ? Math.max(0, ...data.held('vus', 'max')) : null;
    if (isOver) add('Active virtual users', peak !== null ? units.default(peak) : vus ? vus.text.max : '–', `peak, of ${units.default(run.run.max_vus)} planned`);
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
    const of = (name) => last(data.figure('http_req_duration', name)).filter((value) => value !== null);
    const [p95, med] = [of('p(95)'), of('med')];
    const missing = last((data.unanswered('http_req_duration') || {}).values).reduce((sum, value) => sum + (value || 0), 0);
    // Where nobody answers now, what was measured before is not how it is.
    const isSilent = missing > 0 && last((data.unanswered('http_req_duration') || {}).share).slice(-1)[0] >= 1;
    const more = isSilent ? 'nothing is answered' : [med.length && `median ${units.time(med[med.length - 1])}`, missing && `${units.default(missing)} got no answer`].filter(Boolean).join(', ');
    if (rate.length) list.push(tile('Duration p(95)', isSilent || !p95.length ? '–' : units.time(Math.max(...p95)), more));
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
    const [now, all] = [nowTiles(run, data), tiles(run, metric, data)];
    if (!now.length) return make('div', { class: 'tiles' }, all);
    const seconds = data ? Math.min(Math.max(1, Math.ceil(5 / data.width)), data.x.length) * data.width : 5;
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
    // Thresholds are k6's and judge the times of all requests, also of those that nobody answered.
    const answered = (row) => (run.metrics.find((one) => one.name === row.metric) || {}).answered;
    const isHollow = (row) => row.ok && answered(row) && !answered(row).values.count;
    const without = (row) => {
      const text = answered(row) && answered(row).text[row.figure];
      return text && make('div', { class: 'soft' }, answered(row).values.count ? `answered requests only: ${text}` : 'no request was answered');
    };
    return section('Thresholds', run.verdict.thresholds_judged ? (bad ? `${bad} of ${run.thresholds.length} crossed` : rows.length === 1 ? 'it holds' : 'all hold') : 'not judged', table('thresholds', [
      ['Metric', (row) => [isHollow(row) ? make('span', { class: 'warn' }, '? ') : make('span', { class: row.ok ? 'good' : 'bad' }, row.ok ? '✓ ' : '✗ '), make('code', {}, row.metric)]],
      ['Figure', (row) => make('code', { title: row.expression }, row.figure)],
      ['Seen', (row) => make('div', {}, make('span', { class: row.ok ? '' : 'bad' }, row.text), without(row))],
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
    ], list, undefined, 'stacked', bad ? Math.max(8, bad) : FEW_ROWS));
  }

  /// The series of an endpoint, below its row.
  function endpointDetail(run, row) {
    const { series: kept } = row;
    const seconds = Math.max(run.run.seconds, 0.001);
    if (!kept || !kept.points) return make('p', { class: 'soft' }, 'There are many endpoints, and the series of this one was not kept.');
    const durations = Object.fromEntries(['med', 'p(90)', 'p(95)', 'p(99)'].map((name) => [name, kept[name]]));
    // Documents of before don't tell which requests got no answer.
    const unanswered = kept.unanswered || kept.requests.map(() => 0);
    const count = kept.requests.map((value, place) => (value === null ? null : value - unanswered[place]));
    const all = { requests: { sum: kept.requests }, failed: { sum: kept.failed }, durations: { ...durations, count, unanswered } };
    const data = series({ ...kept, series: all }, seconds, run.run.is_over);
    const { x, partial } = data;
    const line = (name, color, values, look) => ({ name, color, values, partial, ...look });
    const failed = row.failed ? [line('failed', 's4', data.perSecond('failed'), { area: true })] : [];
    const title = `${row.method} ${row.name}`.trim();
    const [name, color, missing, look] = noAnswer(data.unanswered('durations')) || [];
    const lane = name ? [line(name, color, missing, look)] : [];
    const isAnswered = row.duration.values.count > 0;
    return make('div', { class: 'charts' },
      chart({ title: 'Requests per second', label: title, unit: '/s', seconds, x, lines: [line('requests', 's1', data.perSecond('requests'), { area: true }), ...failed] }),
      isAnswered && chart({ title: 'Request duration', label: title, unit: 'time', seconds, x, width: data.width, bands: BANDS, lines: [...[['med', 's2'], ['p(90)', 's1'], ['p(95)', 's5'], ['p(99)', 's3']].map(([name, color]) => line(name, color, data.figure('durations', name))), ...lane] }));
  }

  const shownEndpoints = new Set();

  function endpointTable(run) {
    if (!run.endpoints.length) return null;
    const figure = (name) => [name, (row) => row.duration.text[name], (row) => row.duration.values[name] ?? -1];
    const hasMissing = run.endpoints.some((row) => row.unanswered);
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
      hasMissing && ['No answer', (row) => (row.unanswered ? make('span', { class: 'bad' }, row.text.unanswered) : '0'), (row) => row.unanswered],
      ...['avg', 'med', 'p(95)', 'p(99)', 'max'].map(figure),
    ].filter(Boolean);
    const detail = (row) => shownEndpoints.has(key(row)) && make('tr', { class: 'detail' }, make('td', { colspan: columns.length }, make('div', { class: 'inside' }, endpointDetail(run, row))));
    return section('Endpoints', `${run.endpoints.length}; a click shows one over time${hasMissing ? '; times are those of answered requests' : ''}`,
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
    const cell = (name, figure) => (row) => { const found = of(row, name); return found ? (found.answered || found).text[figure] : '–'; };
    return section('Scenarios', null, table('scenarios', [
      ['Scenario', (row) => [make('div', {}, row.name), make('div', { class: 'soft' }, row.plan)]],
      ['Iterations', cell('iterations', 'count')], ['Requests', cell('http_reqs', 'count')], ['Failed', cell('http_req_failed', 'rate')],
      ['Duration p(95)', cell('http_req_duration', 'p(95)')], ['Iteration p(95)', cell('iteration_duration', 'p(95)')],
    ], run.run.scenarios));
  }

  function metricTables(run) {
    const name = (row) => (row.parent ? [make('span', { class: 'tag' }, '└'), row.name] : row.name);
    // k6's times of requests are those of all; where some got no answer, the others have a row of their own. Phases have none.
    const hasOwnRow = (metric) => metric.answered && /^(http_req_(duration|waiting)|grpc_req_duration|ws_connecting)$/.test(metric.name);
    const of = (type) => run.metrics.filter((metric) => metric.type === type)
      .flatMap((metric) => (hasOwnRow(metric) ? [metric, { ...metric.answered, parent: metric.name, name: `${metric.name}, answered only` }] : [metric]));
    const text = (key) => [key, (row) => row.text[key], (row) => row.values[key] ?? -1];
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
      run.name && run.run.script, moment(run.run.started),
      run.run.is_over ? `ran ${clock(run.run.seconds)}` : elapsed(run.run),
      `${run.generator.name} ${run.generator.version}`, run.generator.engine,
    ];
    const notes = [];
    if (run.run.is_over && !passed) notes.push(make('div', { class: 'note bad' }, prose(`Exit code ${code}: ${reason || 'failed'}`)));
    else if (!run.run.is_over && crossed.length) notes.push(make('div', { class: 'note bad' }, `Thresholds crossed so far: ${crossed.join(', ')}`));
    if (run.run.incomplete) notes.push(make('div', { class: 'note bad' }, prose(`Incomplete: ${run.run.incomplete}`)));
    if (run.health.complaint) notes.push(make('div', { class: 'note warn' }, `The load generator could not keep up: ${run.health.complaint}`));
    return [make('header', { class: 'top' }, make('h1', {}, run.name || run.run.script), make('span', { class: `pill ${state[0]}` }, state[1]),
      make('p', { class: 'facts' }, facts.filter(Boolean).map((fact) => make('span', {}, fact)))), notes];
  }

  // What others saw of this run, in rows of texts.
  function lists(run) {
    return (run.lists || []).map((list) => section(list.title, list.note, table(`list ${list.title}`,
      list.columns.map((title, column) => [title, (row) => column === 0 && list.is_code ? make('code', {}, row[0]) : row[column]]),
      list.rows, undefined, 'stacked')));
  }

