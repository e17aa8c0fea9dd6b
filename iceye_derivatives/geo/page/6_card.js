// What is known of one detection: all of it, and nothing of it as markup?
{
  const { raw, items, element, visible, swatch, moment, degrees, at, count, $ } = Atlas;
  const card = $("#card");
  let list = [];
  let place = 0;
  let chosen = () => {};

  const fact = (name, value) => {
    const row = element("div", {}, element("dt", {}, element("bdi", {}, visible(name))));
    const said = element("dd", { dir: "auto" });
    if (value === null || value === "") {
      said.className = "none";
      said.textContent = value === null ? "null" : "empty";
    } else {
      said.textContent = visible(value);
    }
    row.append(said);
    return row;
  };
  const facts = (title, pairs) => [element("h3", {}, title), element("dl", {}, ...pairs.map(([name, value]) => fact(name, value)))];

  const show = (item) => {
    const group = raw.groups[item.group];
    const source = raw.sources[item.source];
    card.querySelector(".swatch").replaceChildren(swatch(group));
    card.querySelector("h2").replaceChildren(element("bdi", {}, group.name === "" ? "No class" : visible(group.name)));
    const sure = item.confidence === null ? "" : ` · confidence ${Number(item.confidence.toFixed(3))}`;
    card.querySelector("p").replaceChildren(element("bdi", {}, visible(group.label)), sure);
    const keys = raw.shapes[item.shape];
    const middle = item.placed ? at(item.x, item.y) : null;
    const where = middle
      ? [["position", `${degrees(middle.lat, "NS", 5)}, ${degrees(middle.lon, "EW", 5)}`]]
      : [["position", "none that can be drawn"]];
    if (raw.time === "observed" && item.time !== null) where.push(["observed", moment(item.time)]);
    const file = [["task", source.task], ["product", source.product], ["derivative", source.derivative], ["file", source.file],
      ["downloaded", source.downloaded === null ? null : moment(source.downloaded)]].filter(([, value]) => value !== null);
    if (item.id !== null) file.unshift(["feature id", item.id]);
    card.querySelector(".facts").replaceChildren(
      ...facts("Properties", keys.map((key, index) => [key, item.values[index]])),
      ...facts("Place", where), ...facts("From", file));
    card.querySelector(".facts").scrollTop = 0;
    card.querySelector("footer output").textContent = `${count(place + 1)} of ${count(list.length)}`;
    card.hidden = false;
    chosen(item);
  };

  const open = (among, index = 0) => {
    if (!among.length) return;
    list = among;
    place = index;
    show(list[place]);
  };
  const step = (by) => {
    if (card.hidden || !list.length) return;
    place = (place + by + list.length) % list.length;
    show(list[place]);
  };
  const close = () => {
    if (card.hidden) return;
    card.hidden = true;
    list = [];
    chosen(null);
  };

  $("#close").addEventListener("click", close);
  $("#previous").addEventListener("click", () => step(-1));
  $("#next").addEventListener("click", () => step(1));
  $("#browse").addEventListener("click", () => {
    open(items.filter((item) => item.shown));
    card.focus();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
    const typing = event.target.matches?.("input, #map");
    if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "ArrowRight") step(1);
    if (event.key === "ArrowLeft") step(-1);
  });

  Object.assign(Atlas, {
    openCard: open, closeCard: close, onChoice: (hear) => { chosen = hear; },
    repaintCard: () => { if (!card.hidden) show(list[place]); },
    inCard: () => (card.hidden ? null : list[place]),
  });
}
