  // ---- Pages in a browser ---------------------------------------------------------------------------------------

  const LOOKS = { good: 'good', 'needs improvement': 'warn', poor: 'bad' };

  /// The web vitals of a run, as tiles, and below them those of single pages (sub-metrics).
  function vitalsPart(run) {
    const vitals = (run.pages || {}).vitals || [];
    if (!vitals.length) return null;
    const of = (metric) => run.metrics.find((one) => one.name === metric) || {};
    const [all, some] = [vitals.filter((one) => !of(one.metric).parent), vitals.filter((one) => of(one.metric).parent)];
    const tiles = all.map((one) => tile(`${one.name} p(75)`, one.text, [make('span', { class: LOOKS[one.rating] }, one.rating), `, ${one.seen} measured`]));
    return section('Web vitals', 'of pages in the browser, judged by their 75th percentile',
      make('div', { class: 'tiles' }, tiles),
      make('p', { class: 'soft' }, 'The browser of a test has no graphics card: LCP, FCP and INP are worse than on a desk. Compare them with those of other tests.'),
      some.length ? table('vitals', [
        ['Metric', (row) => make('code', {}, row.metric)], ['p(75)', (row) => row.text], ['Measured', (row) => row.seen],
        ['Rating', (row) => make('span', { class: LOOKS[row.rating] }, row.rating)],
      ], some) : null);
  }

  /// What actions that failed left: why, and a picture of the page.
  function failedActions(run) {
    const failed = (run.pages || {}).failed_actions || [];
    if (!failed.length) return null;
    return section('Failed actions on pages', counted(failed.length, 'picture'), make('div', { class: 'pictures' }, failed.map((one) =>
      make('figure', { class: 'card' }, one.image && make('img', { src: one.image, alt: '' }),
        make('figcaption', {}, prose(one.message), make('div', { class: 'soft' }, make('code', {}, one.path)))))));
  }

