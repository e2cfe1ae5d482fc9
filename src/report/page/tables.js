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

  /// A table. `columns`: [title, cell of a row, sort key of a row, whether it is prose, or `narrow`]. A cell is text or an element.
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
      const proseOf = (column) => columns[column][3] === true;
      const heads = columns.map(([title, , key], column) => {
        const isProse = proseOf(column);
        if (!key) return make('th', { scope: 'col', class: isProse ? 'text' : null }, title);
        const sort = order && order.column === column ? (order.falls ? 'descending' : 'ascending') : null;
        const falls = sort ? !order.falls : column > 0;
        return make('th', { scope: 'col', 'aria-sort': sort },
          make('button', { type: 'button', 'data-key': `sort ${name} ${column}`, onclick: () => { sorted.set(name, { column, falls }); show(); } }, title));
      });
      const body = (all ? list : list.slice(0, few)).flatMap((row) => [make('tr', {}, columns.map(([, cell, , width], column) => {
        const [content, isProse] = [cell(row), proseOf(column)];
        const isZero = column > 0 && ['0', '0 %', '0/s', '–'].includes(content);
        return make('td', { class: column === 0 || isProse ? `text ${width === 'narrow' ? 'narrow' : ''}` : isZero ? 'zero' : null, 'data-title': (look && column > 0 && !isProse && columns[column][0]) || null }, content);
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

