  // ---- Charts ---------------------------------------------------------------------------------------------------

  const charts = [];
  const hidden = new Set();
  let pointed = null;

  /// A chart of lines over seconds. `lines`: name, color, values (null: nothing seen), maybe `area`, `x` of its own, and
  /// `partial` where the last value is of an interval that was cut short. `bands`: pairs of lines with the space between.
  /// A line with `share` is no line but a lane above the others: how many requests of an interval got no answer, and which
  /// share that was. Where all of them did, lines have a gap: nothing is known of what lies between their ends. `gaps` of a
  /// line is such a share without a lane.
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
    const every = spec.lines.filter((line) => !hidden.has(`${spec.title}/${line.name}`));
    const lanes = every.filter((line) => line.share);
    const shown = every.filter((line) => !line.share);
    const values = shown.flatMap((line) => line.values.filter((value) => value !== null && Number.isFinite(value)));
    const most = Math.max(0, ...values);
    const least = Math.min(0, ...values);
    const format = units[spec.unit] || units.default;
    // What is counted has no halves.
    const leastStep = spec.unit === 'default' && values.every(Number.isInteger) ? 1 : 0;
    const steps = most || least ? ticks(Math.max(most, -least), 4, null, true, leastStep) : [0, spec.unit === 'share' ? 0.01 : 1];
    // The axis ends with a label, and no value is beyond it.
    const end = (value) => (value > 0 ? steps.find((step) => step >= value * 0.9999) : 0);
    const [ceiling, floor] = [most > 0 || least === 0 ? end(most) || steps[1] : 0, -end(-least)];
    const yTicks = [...steps.slice(1).map((step) => -step).filter((step) => step >= floor).reverse(), ...steps.filter((step) => step <= ceiling)];
    // Wide enough for all the usual numbers, so that charts above each other share their moments.
    view.left = Math.max(54, 10 + 6.4 * Math.max(...yTicks.map((tick) => format(tick).length)));
    view.right = 8;
    const [above, below] = [lanes.length ? 15 : 8, 22];
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
    /// Where intervals begin and end, from their middles; `width` is that of the first.
    const intervals = (middles, width) => {
      let end = middles[0] - width / 2;
      return middles.map((middle) => {
        const start = Math.max(0, end);
        end = 2 * middle - start;
        return [start, Math.min(spec.seconds, end)];
      });
    };
    const spans = lanes.flatMap((line) => intervals(xOf(spec, line), spec.width || 0).map((interval, place) => [line.share[place], interval]).filter(([share]) => share > 0).map(([share, interval]) => {
      const [from, to] = interval.map(X);
      const rect = (look, y, height) => draw('rect', { class: look, color: line.color, x: from.toFixed(1), width: Math.max(1, to - from).toFixed(1), y, height });
      const lane = rect('lane', 2, 7);
      lane.style.opacity = (0.3 + 0.7 * share).toFixed(2);
      return [lane, share >= 1 ? rect('wash', above, height - above - below) : null];
    })).flat().filter(Boolean);
    const pathOf = (line, seen) => seen.map(([x, y], place) => `${place ? 'L' : 'M'}${X(x).toFixed(1)} ${Y(y).toFixed(1)}`).join('');
    /// What was seen without a gap, piece by piece.
    const piecesOf = (line) => {
      const pieces = [[]];
      line.values.forEach((value, place) => {
        if (value !== null && Number.isFinite(value)) pieces[pieces.length - 1].push([xOf(spec, line)[place], value, place]);
        else if ([line.gaps, ...spec.lines.map(({ share }) => share)].some((share) => share && share[place] >= 1) && pieces[pieces.length - 1].length) pieces.push([]);
      });
      return pieces.filter((piece) => piece.length).map((piece) => (line.step ? asSteps(piece, line.width || spec.width || 0) : piece));
    };
    /// What holds for an interval is drawn from its beginning to its end.
    const asSteps = (piece, width) => intervals(piece.map(([x]) => x), width)
      .flatMap((interval, number) => interval.map((x) => [x, piece[number][1], piece[number][2]]));
    for (const [low, high] of spec.bands || []) {
      const [below, above] = [low, high].map((name) => shown.find((line) => line.name === name));
      if (!below || !above) continue;
      const [downs, ups] = [piecesOf(below), piecesOf(above)];
      ups.forEach((up, number) => {
        const down = downs[number];
        if (!down || up.length < 2 || up.length !== down.length) return;
        const back = down.slice().reverse().map(([x, y]) => `L${X(x).toFixed(1)} ${Y(y).toFixed(1)}`).join('');
        parts.push(draw('path', { class: 'wash', color: above.color, d: `${pathOf({}, up)}${back}Z` }));
      });
    }
    parts.push(...spans);
    for (const line of shown) {
      const pieces = piecesOf(line);
      const count = pieces.reduce((sum, piece) => sum + piece.length, 0);
      for (const seen of pieces) {
        // What ends with a cut interval is drawn to the one before; the rest is dashed.
        const isCut = line.partial && !line.step && seen.length > 1 && seen[seen.length - 1][2] === line.values.length - 1;
        const whole = isCut ? seen.slice(0, -1) : seen;
        const path = pathOf(line, whole);
        if (line.area && whole.length > 1) {
          const base = Y(Math.max(0, floor)).toFixed(1);
          parts.push(draw('path', { class: 'wash', color: line.color, d: `${path}L${X(whole[whole.length - 1][0]).toFixed(1)} ${base}L${X(whole[0][0]).toFixed(1)} ${base}Z` }));
        }
        parts.push(draw('path', { class: count > 200 ? 'fine trace' : 'trace', color: line.color, d: path }));
        if (isCut) parts.push(draw('path', { class: 'cut trace', color: line.color, d: pathOf(line, seen.slice(-2)) }));
        if (!line.step && (count <= 12 || seen.length === 1)) {
          parts.push(seen.map(([x, y]) => draw('circle', { class: 'dot', color: line.color, cx: X(x), cy: Y(y), r: count === 1 ? 4 : 2.4 })));
        }
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
      const format = line.share ? (count) => `${units.default(count)} (${units.share(line.share[places[number]])})` : view.format;
      const text = value === undefined ? null : value === null ? '–' : format(value);
      return make('button', {
        type: 'button', 'aria-pressed': String(!hidden.has(key)), title: 'Show or hide',
        onclick: () => { if (!hidden.delete(key)) hidden.add(key); paint(view); },
        ...(line.raw ? { title: line.raw } : {}),
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
  function spread(title, unit, distribution, values, what, note) {
    const svg = draw('svg', { role: 'img', tabindex: 0, 'aria-label': title });
    const at = make('span', { class: 'at' });
    const card = make('div', { class: 'card chart' }, make('div', { class: 'head' }, make('h3', {}, title, at), note && make('span', { class: 'aside' }, note)), svg);
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
      const steps = ticks(most / total, 3, null, true);
      const Y = (count) => above + (1 - count / total / steps[steps.length - 1]) * (height - above - below);
      svg.setAttribute('viewBox', `0 0 ${width} ${height}`);
      const parts = [];
      for (const tick of steps) {
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

