// Which detections are to be seen, and how many are they?
{
  const { raw, items, element, count, moment, visible, swatch } = Atlas;
  const BINS = 24;
  const $ = (selector) => document.querySelector(selector);
  const known = (key) => items.map((item) => item[key]).filter((value) => value !== null);
  const range = (values) => values.reduce(([a, b], v) => [Math.min(a, v), Math.max(b, v)], [Infinity, -Infinity]);

  const state = {
    groups: raw.groups.map(() => true),
    tasks: new Map(),
    least: -Infinity, unsure: true,
    from: -Infinity, until: Infinity, timeless: true,
  };
  const fresh = () => state.groups.every(Boolean) && [...state.tasks.values()].every(Boolean)
    && state.least === -Infinity && state.from === -Infinity && state.until === Infinity
    && state.unsure && state.timeless;

  const taskOf = (item) => raw.sources[item.source].task ?? "";
  const sure = (item) => (item.confidence === null ? state.unsure : item.confidence >= state.least);
  const timely = (item) => (item.time === null ? state.timeless : item.time >= state.from && item.time <= state.until);

  const groupTotals = raw.groups.map(() => 0);
  for (const item of items) groupTotals[item.group] += 1;
  const most = Math.max(1, ...groupTotals);

  // The legend, a section for each product.
  const rows = [];
  const products = new Map();
  raw.groups.forEach((group, index) => {
    if (!products.has(group.product)) products.set(group.product, []);
    products.get(group.product).push(index);
  });
  const heads = [...products].map(([product, indices]) => {
    const { label, shape } = raw.groups[indices[0]];
    const box = element("input", { type: "checkbox" });
    const number = element("span", { class: "count" });
    const head = element("div", { class: "product", title: visible(product) },
      element("label", {}, box, swatch({ shape }), element("bdi", {}, visible(label)), number));
    box.addEventListener("change", () => {
      for (const index of indices) state.groups[index] = box.checked;
      apply();
    });
    const list = element("ul", {}, ...indices.map((index) => legendRow(index)));
    $("#legend").append(element("section", { class: "group" }, head, list));
    return { indices, box, number, head };
  });

  function legendRow(index) {
    const group = raw.groups[index];
    const box = element("input", { type: "checkbox" });
    const number = element("span", { class: "count" });
    const name = group.name === "" ? "no class" : visible(group.name);
    const only = element("button", { type: "button", class: "only" }, "only");
    only.setAttribute("aria-label", `Only ${name}`);
    const bar = element("i");
    const mark = element("span", {}, swatch(group));
    const row = element("li", {},
      element("label", { title: name }, box, mark, element("bdi", {}, name), number), only,
      element("span", { class: "share" }, bar));
    box.addEventListener("change", () => { state.groups[index] = box.checked; apply(); });
    only.addEventListener("click", () => {
      state.groups = state.groups.map((_, other) => other === index);
      apply();
    });
    rows[index] = { box, number, row, bar, mark };
    return row;
  }

  // The sliders, each under a picture of how its values are spread.
  const histogram = (place, values, [low, high]) => {
    const bins = new Array(BINS).fill(0);
    for (const value of values) bins[Math.min(BINS - 1, Math.floor(((value - low) / (high - low || 1)) * BINS))] += 1;
    const top = Math.max(...bins);
    const bars = bins.map((bin) => {
      const bar = element("i");
      bar.style.height = `${bin ? Math.max(4, (bin / top) * 100) : 0}%`;
      return bar;
    });
    place.replaceChildren(...bars);
    return (from, to) => bars.forEach((bar, index) => {
      const middle = low + ((index + 0.5) / BINS) * (high - low);
      bar.classList.toggle("in", middle >= from && middle <= to);
    });
  };

  const confidences = known("confidence");
  let paintConfidence = () => {};
  if (confidences.length) {
    const [lowest, highest] = range(confidences);
    const low = lowest >= 0.5 && highest <= 1 ? 0.5 : Math.min(0, lowest);
    const high = highest <= 1 ? 1 : highest;
    const step = (high - low) / 100;
    const slider = $("#least");
    Object.assign(slider, { min: low, max: high, step, value: low });
    const output = $("#confidence output");
    const paint = histogram($("#confidence .bars"), confidences, [low, high]);
    paintConfidence = () => {
      if (state.least === -Infinity) slider.value = low;
      const digits = high <= 1 ? 2 : Math.max(0, 2 - Math.floor(Math.log10(high)));
      output.textContent = state.least === -Infinity ? "all" : `at least ${Number(slider.value).toFixed(digits)}`;
      slider.setAttribute("aria-valuetext", output.textContent);
      paint(state.least, Infinity);
    };
    slider.addEventListener("input", () => {
      state.least = Number(slider.value) <= low ? -Infinity : Number(slider.value) - step / 1e6;
      apply();
    });
    $("#confidence").hidden = false;
    $("#unsure").closest("label").hidden = confidences.length === items.length;
    $("#unsure").addEventListener("change", (event) => { state.unsure = event.target.checked; apply(); });
  }

  const times = known("time");
  let paintTime = () => {};
  const [first, last] = range(times);
  if (times.length && last > first) {
    $("#time h2 span").textContent = raw.time === "observed" ? "Observed" : "Downloaded";
    const paint = histogram($("#time .bars"), times, [first, last]);
    const [from, until] = [$("#from"), $("#until")];
    const value = (slider) => first + (Number(slider.value) / 1000) * (last - first);
    paintTime = () => {
      if (state.from === -Infinity) from.value = 0;
      if (state.until === Infinity) until.value = 1000;
      $("#time output").textContent = state.from === -Infinity && state.until === Infinity ? "all" : "";
      from.setAttribute("aria-valuetext", moment(value(from)));
      until.setAttribute("aria-valuetext", moment(value(until)));
      from.title = moment(value(from));
      until.title = moment(value(until));
      if ($("#time output").textContent === "") $("#time output").textContent = `${moment(value(from)).slice(5, 16)} to ${moment(value(until)).slice(5)}`;
      paint(state.from, state.until);
    };
    from.addEventListener("input", () => {
      if (Number(from.value) > Number(until.value)) from.value = until.value;
      state.from = Number(from.value) === 0 ? -Infinity : value(from);
      apply();
    });
    until.addEventListener("input", () => {
      if (Number(until.value) < Number(from.value)) until.value = from.value;
      state.until = Number(until.value) === 1000 ? Infinity : value(until);
      apply();
    });
    $("#time").hidden = false;
    $("#timeless").closest("label").hidden = times.length === items.length;
    $("#timeless").addEventListener("change", (event) => { state.timeless = event.target.checked; apply(); });
  }

  // The tasks, where there are several.
  const taskTotals = new Map();
  for (const source of raw.sources) taskTotals.set(source.task ?? "", 0);
  for (const item of items) taskTotals.set(taskOf(item), taskTotals.get(taskOf(item)) + 1);
  const taskBoxes = new Map();
  for (const [task, total] of taskTotals) {
    state.tasks.set(task, true);
    if (taskTotals.size < 2) continue;
    const box = element("input", { type: "checkbox" });
    box.addEventListener("change", () => { state.tasks.set(task, box.checked); apply(); });
    taskBoxes.set(task, box);
    const name = task === "" ? "no task" : visible(task);
    $("#tasks ul").append(element("li", {}, element("label", { title: name }, box, element("bdi", {}, name), element("span", { class: "count" }, count(total)))));
    $("#tasks").hidden = false;
  }

  const heard = [];
  function apply() {
    const shown = raw.groups.map(() => 0);
    for (const item of items) {
      item.shown = state.groups[item.group] && state.tasks.get(taskOf(item)) && sure(item) && timely(item);
      if (item.shown) shown[item.group] += 1;
    }
    paintLegend(shown);
    paintConfidence();
    paintTime();
    for (const [task, box] of taskBoxes) box.checked = state.tasks.get(task);
    const chosen = [...state.tasks.values()].filter(Boolean).length;
    $("#tasks output").textContent = chosen === state.tasks.size ? count(chosen) : `${count(chosen)} of ${count(state.tasks.size)}`;
    $("#unsure").checked = state.unsure;
    $("#timeless").checked = state.timeless;
    $("#reset").disabled = fresh();
    tally(shown.reduce((a, b) => a + b, 0));
    for (const hear of heard) hear();
  }

  function paintLegend(shown) {
    const say = (place, part, total) => place.replaceChildren(
      element("b", {}, count(part)), ...(part === total ? [] : [` of ${count(total)}`]));
    rows.forEach(({ box, number, row, bar }, index) => {
      box.checked = state.groups[index];
      row.classList.toggle("off", !state.groups[index]);
      say(number, shown[index], groupTotals[index]);
      bar.style.width = `${(shown[index] / most) * 100}%`;
      bar.style.background = Atlas.colour(raw.groups[index]);
    });
    for (const { indices, box, number, head } of heads) {
      const on = indices.filter((index) => state.groups[index]).length;
      box.checked = on === indices.length;
      box.indeterminate = on > 0 && on < indices.length;
      head.classList.toggle("off", on === 0);
      const sum = (list) => indices.reduce((total, index) => total + list[index], 0);
      say(number, sum(shown), sum(groupTotals));
    }
  }

  const plural = (number, thing) => `${count(number)} ${thing}${number === 1 ? "" : "s"}`;
  const lost = items.filter((item) => !item.placed).length;
  function tally(shown) {
    const many = items.length === 1 ? "detection" : "detections";
    const what = shown === items.length
      ? [element("b", {}, count(shown)), ` ${many}`]
      : [element("b", {}, count(shown)), ` of ${count(items.length)} ${many}`];
    const notes = lost ? [element("small", {}, `${count(lost)} without a place on this map: see Browse`)] : [];
    $("#tally").replaceChildren(...what, ` in ${plural(raw.sources.length, "file")}`, ...notes);
  }

  $("#reset").addEventListener("click", () => {
    state.groups = raw.groups.map(() => true);
    for (const task of state.tasks.keys()) state.tasks.set(task, true);
    Object.assign(state, { least: -Infinity, unsure: true, from: -Infinity, until: Infinity, timeless: true });
    apply();
  });

  const recolour = () => rows.forEach(({ mark }, index) => mark.replaceChildren(swatch(raw.groups[index])));
  Object.assign(Atlas, { apply, recolour, onFilter: (hear) => heard.push(hear), $ });
}
