// Where on the Earth is this, when there is no picture of it below?
{
  const { degrees, element } = Atlas;
  const APART = 120; // pixels between two lines, at least
  const FINEST = 6; // decimals

  const stepFor = (perPixel) => {
    const least = perPixel * APART;
    const power = 10 ** Math.floor(Math.log10(least));
    const step = [1, 2, 5, 10].map((n) => n * power).find((s) => s >= least) ?? 10 * power;
    return step > 45 ? 90 : step > 30 ? 45 : step > 20 ? 30 : step;
  };
  const digitsFor = (step) => Math.min(FINEST, Math.max(0, -Math.floor(Math.log10(step) + 1e-9)));

  Atlas.Graticule = L.Renderer.extend({
    options: { padding: 0.25 },

    initialize(options) {
      L.Renderer.prototype.initialize.call(this, options);
      this._layers = {};
      this._edges = document.getElementById("edges");
    },

    getEvents() {
      return { ...L.Renderer.prototype.getEvents.call(this), move: this._label, zoomend: this._onZoomEnd };
    },

    _initContainer() { this._container = document.createElement("canvas"); },
    _destroyContainer() { this._container.remove(); },
    _updatePaths() {},

    _update() {
      if (this._map._animatingZoom && this._bounds) return;
      L.Renderer.prototype._update.call(this);
      const ratio = window.devicePixelRatio || 1;
      const size = this._bounds.getSize();
      L.DomUtil.setPosition(this._container, this._bounds.min);
      this._container.width = Math.round(size.x * ratio);
      this._container.height = Math.round(size.y * ratio);
      this._container.style.width = `${size.x}px`;
      this._container.style.height = `${size.y}px`;
      this.draw();
    },

    _lines(bounds) {
      const size = this._map.getSize();
      const view = this._map.getBounds();
      const step = stepFor((view.getEast() - view.getWest()) / size.x);
      const multiples = (from, to) => {
        const found = [];
        for (let n = Math.ceil(from / step); n * step <= to && found.length < 200; n += 1) found.push(n * step);
        return found;
      };
      return {
        step,
        lons: multiples(bounds.getWest(), bounds.getEast()),
        lats: multiples(Math.max(-85, bounds.getSouth()), Math.min(85, bounds.getNorth())),
      };
    },

    draw() {
      if (!this._map || !this._bounds) return;
      const map = this._map;
      const ratio = window.devicePixelRatio || 1;
      const pen = this._container.getContext("2d");
      const size = this._bounds.getSize();
      const { min, max } = this._bounds;
      const bounds = L.latLngBounds(map.layerPointToLatLng([min.x, max.y]), map.layerPointToLatLng([max.x, min.y]));
      const look = getComputedStyle(document.documentElement);
      const { step, lons, lats } = this._lines(bounds);
      const strong = (value) => Math.abs(Math.round(value / step) % 5) === 0;
      pen.setTransform(ratio, 0, 0, ratio, 0, 0);
      pen.clearRect(0, 0, size.x, size.y);
      const stroke = (value, line) => {
        pen.strokeStyle = look.getPropertyValue(strong(value) ? "--strong" : "--line");
        pen.lineWidth = 1;
        pen.beginPath();
        line();
        pen.stroke();
      };
      for (const lon of lons) {
        const x = Math.round(map.latLngToLayerPoint([0, lon]).x - min.x) + 0.5;
        stroke(lon, () => { pen.moveTo(x, 0); pen.lineTo(x, size.y); });
      }
      for (const lat of lats) {
        const y = Math.round(map.latLngToLayerPoint([lat, 0]).y - min.y) + 0.5;
        stroke(lat, () => { pen.moveTo(0, y); pen.lineTo(size.x, y); });
      }
      this._label();
    },

    _label() {
      const map = this._map;
      const size = map.getSize();
      const { step, lons, lats } = this._lines(map.getBounds());
      const digits = digitsFor(step);
      const labels = [];
      for (const lon of lons) {
        const x = map.latLngToContainerPoint([0, lon]).x;
        const label = element("span", { class: "lon" }, degrees(L.Util.wrapNum(lon, [-180, 180], true), "EW", digits));
        label.style.left = `${Math.round(x)}px`;
        if (x > 40 && x < size.x - 60) labels.push(label);
      }
      for (const lat of lats) {
        const y = map.latLngToContainerPoint([lat, 0]).y;
        const label = element("span", { class: "lat" }, degrees(lat, "NS", digits));
        label.style.top = `${Math.round(y)}px`;
        if (y > 24 && y < size.y - 40) labels.push(label);
      }
      this._edges.replaceChildren(...labels);
    },
  });
}
