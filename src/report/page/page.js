  // ---- The page -------------------------------------------------------------------------------------------------

  let report = null;
  // The run somebody chose; before, that is the one that goes on, or the first that went wrong, or the first.
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
    const place = Math.min(chosen ?? (isGoing ? Infinity : Math.max(0, report.runs.findIndex(wentWrong))), report.runs.length - 1);
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

  /// Whether a run is one to look at first: it failed, or the procedure says so.
  function wentWrong(run) {
    const { passed, is_good: isGood } = run.verdict;
    const card = report.procedure && report.procedure.cards.find((one) => one.name === run.name);
    return passed === false || isGood === false || (card && card.state === 'finished' && !card.is_good && !card.is_tolerated);
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
    const wrong = [hasCrossed && thresholdTable(run), errorTable(run), run.checks.fails > 0 && checkTable(run), failedActions(run)];
    const cut = data && data.partial ? `; the last interval, dashed, is only ${clock(data.last)} long` : '';
    return [
      before ? [choice, head(run)] : [head(run), choice], wrong,
      wrong.some(Boolean) ? section('Figures', null) : null, tileParts(run, metric, data),
      cards.length ? section('Over time', data ? `in intervals of ${clock(data.width)}${cut}` : null, make('div', { class: 'charts' }, cards)) : null,
      hasCrossed ? null : thresholdTable(run), run.checks.fails > 0 ? null : checkTable(run), vitalsPart(run), endpointTable(run), scenarioTable(run), groupTable(run), metricTables(run),
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
