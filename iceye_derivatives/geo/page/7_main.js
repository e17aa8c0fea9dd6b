// How do map, filters and card hear of each other?
{
  const { raw, items, element, visible, degrees, at, $ } = Atlas;
  const NARROW = 720;
  const root = document.documentElement;
  const preferred = window.matchMedia("(prefers-color-scheme: dark)");
  root.dataset.theme = preferred.matches ? "dark" : "light";

  const map = L.map("map", {
    zoomControl: false, attributionControl: false, minZoom: 1, maxZoom: 22, zoomSnap: 0.25, wheelPxPerZoomLevel: 90,
    zoomAnimation: !window.matchMedia("(prefers-reduced-motion: reduce)").matches, fadeAnimation: false,
  });
  map.createPane("graticule").style.zIndex = 350;
  L.control.scale({ imperial: false, maxWidth: 120, position: "bottomleft" }).addTo(map);
  if (raw.basemap) L.tileLayer(raw.basemap.url, { maxZoom: 22, maxNativeZoom: 19, subdomains: "abc" }).addTo(map);
  $("#credit").textContent = raw.basemap ? visible(raw.basemap.attribution) : "";

  const graticule = new Atlas.Graticule({ pane: "graticule" });
  const layer = new Atlas.Layer();
  const placed = items.filter((item) => item.placed);

  const fit = (animate) => {
    if (!placed.length) { map.setView([0, 0], 2, { animate: false }); return; }
    const seen = placed.some((item) => item.shown) ? placed.filter((item) => item.shown) : placed;
    let [west, north, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
    for (const item of seen) {
      west = Math.min(west, item.west);
      north = Math.min(north, item.north);
      right = Math.max(right, item.right);
      bottom = Math.max(bottom, item.bottom);
    }
    const [a, b] = [at(west, north), at(right, bottom)];
    const panel = $("#panel").getBoundingClientRect();
    const narrow = window.innerWidth <= NARROW;
    map.fitBounds([[a.lat, a.lon], [b.lat, b.lon]], {
      animate, maxZoom: 17,
      paddingTopLeft: narrow ? [24, 30] : [panel.right + 34, 40],
      paddingBottomRight: narrow ? [48, window.innerHeight - panel.top + 16] : [74, 48],
    });
  };

  const repaint = () => {
    Atlas.forget();
    Atlas.recolour();
    Atlas.apply();
    Atlas.repaintCard();
    graticule.draw();
  };

  // The pointer: where it is, and what is under it.
  const hint = $("#hint");
  let pointer = null;
  const look = () => {
    const found = pointer && layer.at(pointer)[0];
    if ((found ?? null) === layer.hovered && hint.hidden === !found) { if (found) moveHint(); return; }
    layer.hovered = found ?? null;
    $("#map").classList.toggle("over", Boolean(found));
    hint.hidden = !found;
    if (found) {
      const group = raw.groups[found.group];
      const sure = found.confidence === null ? "" : ` ${Number(found.confidence.toFixed(2))}`;
      hint.replaceChildren(element("bdi", {}, group.name === "" ? "no class" : visible(group.name)), element("span", {}, sure));
      moveHint();
    }
    layer.redraw();
  };
  const moveHint = () => {
    const left = Math.min(pointer.x + 14, window.innerWidth - hint.offsetWidth - 8);
    hint.style.left = `${left}px`;
    hint.style.top = `${Math.max(8, pointer.y - 34)}px`;
  };
  let asked = null;
  const soon = () => { asked ??= requestAnimationFrame(() => { asked = null; look(); }); };
  map.on("mousemove", (event) => {
    pointer = event.containerPoint;
    const { lat, lng } = event.latlng.wrap();
    $("#place").textContent = `${degrees(lat, "NS", 5)},  ${degrees(lng, "EW", 5)}`;
    soon();
  });
  map.on("mouseout movestart zoomstart", () => { pointer = null; soon(); });
  map.on("click", (event) => {
    const found = layer.at(event.containerPoint);
    if (!found.length) { Atlas.closeCard(); return; }
    if (found.length > 1) { Atlas.openCard(found); return; }
    const all = items.filter((item) => item.shown);
    Atlas.openCard(all, all.indexOf(found[0]));
  });

  Atlas.onChoice((item) => {
    layer.chosen = item;
    layer.redraw();
    if (!item || !item.placed) return;
    const { lat, lon } = at(item.x, item.y);
    const point = map.latLngToContainerPoint([lat, lon]);
    const size = map.getSize();
    const free = window.innerWidth <= NARROW
      ? point.x > 10 && point.x < size.x - 10 && point.y > 30 && point.y < $("#card").getBoundingClientRect().top - 20
      : point.x > 340 && point.x < size.x - 370 && point.y > 20 && point.y < size.y - 20;
    const anywhere = point.x > 10 && point.x < size.x - 10 && point.y > 10 && point.y < size.y - 10;
    if (window.innerWidth <= NARROW ? !free : !(free || anywhere)) {
      map.panTo([lat, lon], { animate: false });
      if (window.innerWidth <= NARROW) map.panBy([0, size.y / 4], { animate: false });
    }
  });
  Atlas.onFilter(() => {
    const item = Atlas.inCard();
    if (item && !item.shown) Atlas.closeCard();
    layer.redraw();
  });

  $("#closer").addEventListener("click", () => map.zoomIn(1));
  $("#farther").addEventListener("click", () => map.zoomOut(1));
  $("#fit").addEventListener("click", () => fit(true));
  $("#theme").addEventListener("click", () => {
    root.dataset.theme = Atlas.dark() ? "light" : "dark";
    repaint();
  });
  preferred.addEventListener("change", () => {
    root.dataset.theme = preferred.matches ? "dark" : "light";
    repaint();
  });
  // A frame around the map is for those who reach it by its keys.
  document.addEventListener("keydown", (event) => { if (event.key === "Tab") root.dataset.keys = "yes"; });
  document.addEventListener("pointerdown", () => { delete root.dataset.keys; });
  const fold = (folded) => {
    $("#panel").classList.toggle("folded", folded);
    $("#fold").setAttribute("aria-expanded", String(!folded));
  };
  $("#fold").addEventListener("click", () => fold(!$("#panel").classList.contains("folded")));
  fold(window.innerWidth <= NARROW);

  Atlas.recolour();
  Atlas.apply();
  fit(false);
  graticule.addTo(map);
  layer.addTo(map);
  // Paper is light, whatever the screen is.
  let screen = null;
  window.addEventListener("beforeprint", () => {
    screen = root.dataset.theme;
    root.dataset.theme = "light";
    repaint();
    layer.draw();
  });
  window.addEventListener("afterprint", () => {
    root.dataset.theme = screen ?? root.dataset.theme;
    repaint();
  });
  Object.assign(Atlas, { map, layer, fit });
  window.atlas = Atlas; // for scripts around the page, such as its tests
  root.dataset.ready = "yes";
}
