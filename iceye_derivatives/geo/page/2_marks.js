// What does a detection look like: its product gives the shape, its class the colour?
{
  const SVG = "http://www.w3.org/2000/svg";
  const { raw } = Atlas;

  // Each shape in a box from -1 to 1, of about the same area.
  const SHAPES = {
    circle: "M-.86 0a.86 .86 0 1 0 1.72 0a.86 .86 0 1 0 -1.72 0z",
    triangle: "M0 -1.08L1.02 .72L-1.02 .72z",
    square: "M-.78 -.78H.78V.78H-.78z",
    diamond: "M0 -1.12L1.12 0L0 1.12L-1.12 0z",
    cross: "M-.36 -1H.36V-.36H1V.36H.36V1H-.36V.36H-1V-.36H-.36z",
    pentagon: "M0 -1.05L1 -.32L.62 .85H-.62L-1 -.32z",
  };

  const dark = () => document.documentElement.dataset.theme === "dark";
  const colour = (group) => group.colours[dark() ? 1 : 0];
  const rim = () => (dark() ? "#0c1318" : "#ffffff");

  const swatch = (group) => {
    const svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("viewBox", "-1.3 -1.3 2.6 2.6");
    svg.setAttribute("class", "mark");
    svg.setAttribute("aria-hidden", "true");
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", SHAPES[group.shape]);
    path.setAttribute("fill", group.colours ? colour(group) : "none");
    path.setAttribute("stroke", group.colours ? "none" : "currentColor");
    path.setAttribute("stroke-width", ".24");
    path.setAttribute("stroke-linejoin", "round");
    svg.append(path);
    return svg;
  };

  // A mark is a stamp of pixels.  Halo and mark are two, so that no halo hides a neighbour where
  // they stand close.
  let stamps = new Map();
  const stamp = (index, radius, halo) => {
    const ratio = window.devicePixelRatio || 1; // another one after a move to another screen
    const key = `${index} ${radius} ${halo} ${ratio}`;
    if (!stamps.has(key)) {
      const canvas = document.createElement("canvas");
      const side = Math.ceil((radius + 3) * 2 * ratio);
      canvas.width = canvas.height = side;
      const pen = canvas.getContext("2d", { willReadFrequently: true });
      const path = new Path2D(SHAPES[raw.groups[index].shape]);
      pen.translate(side / 2, side / 2);
      pen.scale(ratio * radius, ratio * radius);
      pen.lineJoin = "round";
      pen.strokeStyle = rim();
      if (halo) {
        pen.lineWidth = 3 / radius;
        pen.stroke(path);
      } else {
        pen.fillStyle = colour(raw.groups[index]);
        pen.fill(path);
        pen.lineWidth = 0.7 / radius;
        pen.globalAlpha = 0.55;
        pen.stroke(path);
      }
      stamps.set(key, { side, pixels: new Uint32Array(pen.getImageData(0, 0, side, side).data.buffer) });
    }
    return stamps.get(key);
  };
  const forget = () => { stamps = new Map(); };

  Object.assign(Atlas, { SHAPES, swatch, stamp, forget, colour, rim, dark });
}
