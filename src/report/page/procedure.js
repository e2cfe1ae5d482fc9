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
    const count = (state) => criteria.filter((one) => one.state === state).length;
    const [bad, open, of] = [count('fail'), count('not measured'), ` of ${criteria.length}`];
    const unmeasured = open ? `${open}${bad ? '' : of} not measured` : null;
    const isFirst = criteria.some((one) => one.state === 'fail' || one.state === 'not measured') || procedure.findings.some((one) => one.severity !== 'note');
    const judged = [
      part('Criteria', [bad ? `${bad}${of} failed` : null, unmeasured].filter(Boolean).join(', ') || null, criteria, [
        ['Criterion', (row) => [state(row), row.name === row.expression ? make('code', {}, row.name) : [row.name, make('div', { class: 'soft' }, make('code', {}, row.expression))]]],
        ['Wanted', (row) => row.target_text], ['Achieved', (row) => make('div', { class: 'words' }, prose(row.achieved_text))],
        ['', (row) => make('span', { class: colors[row.state] || 'soft' }, row.state)],
      ]),
      part('Findings', null, procedure.findings, [
        ['Severity', (row) => make('span', { class: grave[row.severity] || '' }, row.severity + (row.usual_severity ? `, usually ${row.usual_severity}` : '')), null, 'narrow'],
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
        ['Difference', (row) => make('span', { class: `words ${{ better: 'good', worse: 'bad' }[row.direction] || ''}` }, row.difference)],
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
      ['Active virtual users', 'default', (data) => data.held('vus', 'max'), true],
    ].map(([title, unit, values, step]) => {
      const lines = all.map(({ run, color, data }) => ({ name: run.name || run.run.script, color, x: data.x, values: values(data), partial: data.partial, step, width: data.width, gaps: unit === 'time' && (data.unanswered('http_req_duration') || {}).share })).filter((line) => line.values && line.values.some((value) => value !== null));
      // A chart of nothing but zeros says less than its absence.
      return lines.some((line) => some(line.values)) && chart({ title, label: 'all runs', unit, seconds, x: lines[0].x, lines });
    });
    return section('Runs overlaid', 'each from its own start', make('div', { class: 'charts' }, cards));
  }

