// How are 20,000 detections drawn on one canvas, and which of them is under the pointer?
{
  const { items, raw, stamp, colour, POINT } = Atlas;
  const SMALLEST = 13; // pixels: what is smaller on the screen is drawn as a mark
  const BATCH = 400; // outlines in one path: longer paths become slow to fill
  const REACH = 9; // pixels around the pointer

  const radius = (zoom) => Math.round(Math.max(3, Math.min(6, zoom / 2.6)) * 2) / 2;

  Atlas.Layer = L.Renderer.extend({
    options: { padding: 0.15, pane: "overlayPane" },

    initialize(options) {
      L.Renderer.prototype.initialize.call(this, options);
      this._layers = {};
      this.chosen = null;
      this.hovered = null;
    },

    _initContainer() {
      this._container = document.createElement("canvas");
      this._pen = this._container.getContext("2d");
      this._sheet = document.createElement("canvas");
    },

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

    _frame() {
      const zoom = this._zoom;
      const scale = 2 ** zoom;
      const origin = this._map.getPixelOrigin().add(this._bounds.min);
      return { zoom, scale, dx: -origin.x, dy: -origin.y };
    },

    redraw() {
      if (this._asked) return;
      this._asked = L.Util.requestAnimFrame(() => { this._asked = null; this.draw(); }, this);
    },

    draw() {
      if (!this._map || !this._bounds) return;
      const pen = this._pen;
      const ratio = window.devicePixelRatio || 1;
      const { zoom, scale, dx, dy } = this._frame();
      const size = this._bounds.getSize();
      pen.setTransform(ratio, 0, 0, ratio, 0, 0);
      pen.clearRect(0, 0, size.x, size.y);
      const marks = [];
      const outlines = raw.groups.map(() => []);
      for (const item of items) {
        if (!item.shown || !item.placed) continue;
        if (item.right * scale + dx < -12 || item.west * scale + dx > size.x + 12) continue;
        if (item.bottom * scale + dy < -12 || item.north * scale + dy > size.y + 12) continue;
        if (item.only || item.size * scale < SMALLEST) marks.push(item);
        else outlines[item.group].push(item);
      }
      outlines.forEach((list, group) => {
        for (let i = 0; i < list.length; i += BATCH) this._outline(list.slice(i, i + BATCH), group, scale, dx, dy);
      });
      const r = radius(zoom);
      if (marks.length) this._mark(marks, r, scale, dx, dy);
      for (const item of [this.hovered, this.chosen]) if (item && item.placed) this._ring(item, scale, dx, dy, r, item === this.chosen);
    },

    // Pixel by pixel into one picture: where no graphics card helps, as on many remote desktops,
    // that is several times faster than as many calls of drawImage or fill.
    _mark(marks, r, scale, dx, dy) {
      const ratio = window.devicePixelRatio || 1;
      const { width, height } = this._container;
      const sheet = this._sheet;
      if (sheet.width !== width || sheet.height !== height) {
        [sheet.width, sheet.height] = [width, height];
        this._image = new ImageData(width, height);
      }
      const pixels = new Uint32Array(this._image.data.buffer);
      pixels.fill(0);
      for (const halo of [true, false]) {
        const stamps = raw.groups.map((_, index) => stamp(index, r, halo));
        for (const item of marks) {
          const one = stamps[item.group];
          const left = Math.round((item.x * scale + dx) * ratio - one.side / 2);
          const top = Math.round((item.y * scale + dy) * ratio - one.side / 2);
          blit(pixels, width, height, one, left, top);
        }
      }
      sheet.getContext("2d").putImageData(this._image, 0, 0);
      this._pen.drawImage(sheet, 0, 0, width / ratio, height / ratio);
    },

    _trace(item, scale, dx, dy) {
      const pen = this._pen;
      for (const { kind, lines } of item.shapes) {
        for (const line of lines) {
          if (kind === POINT) {
            pen.moveTo(line[0] * scale + dx + 3, line[1] * scale + dy);
            pen.arc(line[0] * scale + dx, line[1] * scale + dy, 3, 0, 7);
            continue;
          }
          pen.moveTo(line[0] * scale + dx, line[1] * scale + dy);
          for (let i = 2; i < line.length; i += 2) pen.lineTo(line[i] * scale + dx, line[i + 1] * scale + dy);
          if (kind === 2) pen.closePath();
        }
      }
    },

    _outline(list, group, scale, dx, dy) {
      const pen = this._pen;
      const tone = colour(raw.groups[group]);
      pen.beginPath();
      for (const item of list) this._trace(item, scale, dx, dy);
      pen.lineJoin = "round";
      pen.fillStyle = tone;
      pen.strokeStyle = tone;
      pen.globalAlpha = 0.35;
      pen.fill("evenodd");
      pen.globalAlpha = 1;
      pen.lineWidth = 1.6;
      pen.stroke();
    },

    _ring(item, scale, dx, dy, r, strong) {
      const pen = this._pen;
      pen.beginPath();
      if (item.only || item.size * scale < SMALLEST) pen.arc(item.x * scale + dx, item.y * scale + dy, Math.max((item.size * scale) / 2, r) + 5, 0, 7);
      else this._trace(item, scale, dx, dy);
      pen.lineJoin = "round";
      pen.strokeStyle = Atlas.rim();
      pen.lineWidth = strong ? 6 : 4.5;
      pen.stroke();
      pen.strokeStyle = Atlas.dark() ? "#ffffff" : "#16232c";
      pen.lineWidth = strong ? 2.5 : 1.5;
      pen.stroke();
    },

    // All that are under a point of the container, the nearest first.
    at(point) {
      const { scale } = this._frame();
      const world = this._map.containerPointToLayerPoint(point).add(this._map.getPixelOrigin());
      const [x, y, reach] = [world.x / scale, world.y / scale, REACH / scale];
      const found = [];
      for (const item of items) {
        if (!item.shown || !item.placed) continue;
        if (item.west - reach > x || item.right + reach < x || item.north - reach > y || item.bottom + reach < y) continue;
        const mark = item.only || item.size * scale < SMALLEST;
        const away = mark ? Math.hypot(item.x - x, item.y - y) : distance(item, x, y);
        if (away <= reach) found.push([away, item]);
      }
      return found.sort((a, b) => a[0] - b[0] || a[1].size - b[1].size).map(([, item]) => item);
    },
  });

  const blit = (pixels, width, height, { side, pixels: stamped }, left, top) => {
    const [from, to] = [Math.max(0, -left), Math.min(side, width - left)];
    for (let y = Math.max(0, -top); y < side && top + y < height; y += 1) {
      let target = (top + y) * width + left + from;
      for (let x = from, source = y * side + from; x < to; x += 1, source += 1, target += 1) {
        const above = stamped[source];
        if (above === 0) continue;
        const below = pixels[target];
        pixels[target] = above >>> 24 === 255 || below === 0 ? above : over(above, below);
      }
    }
  };

  // One colour over another, alpha in the highest of four bytes (all browsers' machines are so).
  const over = (above, below) => {
    const a = (above >>> 24) / 255;
    const b = ((below >>> 24) / 255) * (1 - a);
    const whole = a + b;
    let mixed = Math.round(whole * 255) << 24;
    for (const shift of [0, 8, 16]) {
      mixed |= Math.round((((above >>> shift) & 255) * a + ((below >>> shift) & 255) * b) / whole) << shift;
    }
    return mixed >>> 0;
  };

  const distance = (item, x, y) => {
    let nearest = Infinity;
    let inside = false;
    for (const { kind, lines } of item.shapes) {
      for (const line of lines) {
        for (let i = 0; i + 1 < line.length; i += 2) {
          const j = i + 2 < line.length ? i + 2 : i;
          nearest = Math.min(nearest, toSegment(x, y, line[i], line[i + 1], line[j], line[j + 1]));
          const crosses = line[i + 1] > y !== line[j + 1] > y;
          if (kind === 2 && crosses && x < ((line[j] - line[i]) * (y - line[i + 1])) / (line[j + 1] - line[i + 1]) + line[i]) inside = !inside;
        }
      }
    }
    return inside ? 0 : nearest;
  };

  const toSegment = (x, y, ax, ay, bx, by) => {
    const length = (bx - ax) ** 2 + (by - ay) ** 2;
    const t = length ? Math.max(0, Math.min(1, ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / length)) : 0;
    return Math.hypot(x - ax - t * (bx - ax), y - ay - t * (by - ay));
  };
}
