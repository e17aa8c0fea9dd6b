// What does the page hold, and how does it reach the drawing without ever becoming markup?
"use strict";
const Atlas = {};

{
  const raw = JSON.parse(document.getElementById("data").textContent);
  const WORLD = 256; // Leaflet's world at zoom 0, in pixels
  const rows = raw.rows;

  const east = (lon) => ((lon + 180) / 360) * WORLD;
  const south = (lat) => {
    const sine = Math.sin((lat * Math.PI) / 180);
    return (0.5 - Math.log((1 + sine) / (1 - sine)) / (4 * Math.PI)) * WORLD;
  };

  // One path a ring or line, one vertex a point: [kind, x, y, x, y, ...] in pixels of zoom 0.
  const POINT = 0;
  const pathsOf = (part) => {
    const [kind, at] = part;
    const lines = kind === POINT ? [[at]] : kind === 1 ? [at] : at;
    return { kind, lines: lines.map((line) => Float64Array.from(line.flatMap(([lon, lat]) => [east(lon), south(lat)]))) };
  };

  const items = rows.map(([group, source, confidence, time, id, parts, shape, values], index) => {
    const shapes = parts.map(pathsOf);
    let [west, north, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
    for (const { lines } of shapes) {
      for (const line of lines) {
        for (let i = 0; i < line.length; i += 2) {
          west = Math.min(west, line[i]);
          right = Math.max(right, line[i]);
          north = Math.min(north, line[i + 1]);
          bottom = Math.max(bottom, line[i + 1]);
        }
      }
    }
    return {
      index, group, source, confidence, time, id, shape, values, shapes,
      placed: shapes.length > 0,
      only: shapes.every(({ kind }) => kind === POINT) && shapes.length === 1,
      west, north, right, bottom, x: (west + right) / 2, y: (north + bottom) / 2,
      size: Math.max(right - west, bottom - north),
    };
  });

  // What a reader cannot see, or what turns the text around it, is spelled out.
  const UNSEEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;
  const visible = (text) =>
    text.replace(UNSEEN, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);

  const element = (name, attributes = {}, ...children) => {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
  };

  const count = (number) => number.toLocaleString("en");
  const moment = (seconds) => `${new Date(seconds * 1000).toISOString().slice(0, 16).replace("T", " ")} UTC`;
  const degrees = (value, letters, digits) =>
    `${Math.abs(value).toFixed(digits)}° ${letters[value < 0 ? 1 : 0]}`;
  const at = (x, y) => ({
    lon: (x / WORLD) * 360 - 180,
    lat: (Math.atan(Math.sinh(Math.PI * (1 - (2 * y) / WORLD))) * 180) / Math.PI,
  });

  Object.assign(Atlas, { raw, items, visible, element, count, moment, degrees, at, POINT });
}
