"use strict";
// Ships of one scene in pixel space. Everything shown is in the page; text goes in by textContent alone.

const data = JSON.parse(document.getElementById("data").textContent);
const $ = (id) => document.getElementById(id);
const { width, height } = data.scene;
const ships = data.ships;
const reports = data.ais; // null without AIS
const detected = ships.score.length;
let count = detected; // and then the ships of AIS that were not seen
const canvas = $("canvas"), context = canvas.getContext("2d"), preview = $("preview") || new Image();
const ROWS_MOST = 2000; // more rows than anyone reads, and a table that long is slow
const MARK_PX = Math.max(5, 11 * Math.min(1, Math.sqrt(500 / Math.max(detected, 1)))); // ships are drawn at least this large
const NUMBER_AREA = 12000; // square pixels of the map that each ship in sight has, or else none carries its number
const RAMP = [[216, 76, 150], [247, 140, 90], [255, 226, 110]]; // low to high score; lighter is stronger

const scores = ships.score;
const lowest = Math.floor(100 * Math.min(1, ...extent(scores))) / 100;
const view = { x: width / 2, y: height / 2, scale: 1 }; // scene pixel at the middle, and screen pixels for one of them
let shown = []; // ships that pass the filter, in the order of the table
let chosen = -1;
let sorting = { key: "score", down: true };

function extent(values) {
  let low = Infinity, high = -Infinity;
  for (const v of values) { low = Math.min(low, v); high = Math.max(high, v); }
  return count ? [low, high] : [];
}

function colour(score) {
  const t = Math.max(0, Math.min(1, (score - lowest) / Math.max(1 - lowest, 1e-9))) * (RAMP.length - 1);
  const i = Math.min(RAMP.length - 2, Math.floor(t));
  return `rgb(${RAMP[i].map((c, k) => Math.round(c + (RAMP[i + 1][k] - c) * (t - i))).join(" ")})`;
}

// ---- text

function format(column, value) {
  if (value === null) return "–";
  if (Array.isArray(value)) return value.map((part) => format(column, part)).join(", ");
  return typeof value === "number" ? value.toFixed(column.digits) : value;
}

function degrees(lon, lat, digits) {
  const part = (v, plus, minus) => `${Math.abs(v).toFixed(digits)}°\u00a0${v >= 0 ? plus : minus}`;
  return `${part(lat, "N", "S")}  ${part(lon, "E", "W")}`;
}

// Longitude and latitude of a pixel: the grid holds unit vectors, which neither pole nor antimeridian disturbs.
function lonlat(x, y) {
  if (!data.grid) return null;
  const { columns, rows, points } = data.grid;
  const u = x / width * (columns - 1), v = y / height * (rows - 1);
  const i = Math.min(Math.floor(u), columns - 2), j = Math.min(Math.floor(v), rows - 2);
  const at = (k, l) => points[(j + l) * columns + i + k];
  const corners = [at(0, 0), at(1, 0), at(0, 1), at(1, 1)];
  if (corners.some((p) => p === null)) return null;
  const [a, b] = [u - i, v - j], weights = [(1 - a) * (1 - b), a * (1 - b), (1 - a) * b, a * b];
  const [px, py, pz] = [0, 1, 2].map((k) => corners.reduce((sum, p, n) => sum + weights[n] * p[k], 0));
  return [Math.atan2(py, px), Math.atan2(pz, Math.hypot(px, py))].map((r) => r * 180 / Math.PI);
}

// ---- the map

const toScreen = (x, y) => [(x - view.x) * view.scale + canvas.clientWidth / 2, (y - view.y) * view.scale + canvas.clientHeight / 2];
const toScene = (x, y) => [(x - canvas.clientWidth / 2) / view.scale + view.x, (y - canvas.clientHeight / 2) / view.scale + view.y];
const fitting = () => 0.96 * Math.min(canvas.clientWidth / width, canvas.clientHeight / height);

function zoom(factor, x = canvas.clientWidth / 2, y = canvas.clientHeight / 2) {
  const [sx, sy] = toScene(x, y);
  view.scale = Math.max(Math.min(fitting(), 1), Math.min(Math.max(24, fitting()), view.scale * factor));
  view.x = sx - (x - canvas.clientWidth / 2) / view.scale;
  view.y = sy - (y - canvas.clientHeight / 2) / view.scale;
  draw();
}

function pan(dx, dy) {
  view.x = Math.max(0, Math.min(width, view.x - dx / view.scale));
  view.y = Math.max(0, Math.min(height, view.y - dy / view.scale));
  draw();
}

function showAll() {
  Object.assign(view, { x: width / 2, y: height / 2, scale: fitting() });
  draw();
}

// On screen, at least MARK_PX on each side.
function mark(i) {
  const [x1, y1, x2, y2] = ships.bbox_px[i];
  const [x, y] = toScreen((x1 + x2) / 2, (y1 + y2) / 2);
  const w = Math.max(MARK_PX, (x2 - x1) * view.scale + 4), h = Math.max(MARK_PX, (y2 - y1) * view.scale + 4);
  return [x - w / 2, y - h / 2, w, h];
}

// The turned rectangle of a ship, by a function from scene pixels to those of a canvas; null if the box is its outline.
const turned = (i, place) => ships.outline_px[i] && ships.outline_px[i].map(([x, y]) => place(x, y));

// On screen: the turned rectangle where it is large enough to be seen, else the mark around the box.
function shape(i, rect) {
  const corners = turned(i, toScreen);
  const side = (k) => Math.hypot(corners[k][0] - corners[k + 1][0], corners[k][1] - corners[k + 1][1]);
  return corners && Math.max(side(0), side(1)) >= 2 * MARK_PX ? corners : rectangle(rect);
}

const rectangle = ([x, y, w, h]) => [[x, y], [x, y + h], [x + w, y + h], [x + w, y]];

const onScreen = ([x, y, w, h]) => x + w > 0 && y + h > 0 && x < canvas.clientWidth && y < canvas.clientHeight;

let waiting = false;
function draw() {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => { waiting = false; paint(); });
}

function paint() {
  const ratio = devicePixelRatio || 1;
  canvas.width = canvas.clientWidth * ratio;
  canvas.height = canvas.clientHeight * ratio;
  context.scale(ratio, ratio);
  const [left, top] = toScreen(0, 0), w = width * view.scale, h = height * view.scale;
  if (preview.naturalWidth) {
    context.imageSmoothingEnabled = view.scale * width / preview.naturalWidth < 6;
    context.drawImage(preview, left, top, w, Math.max(1, h));
  } else {
    context.fillStyle = "#142b40";
    context.fillRect(left, top, w, h);
    for (const ring of data.outlines || []) outline(context, ring.map(([x, y]) => toScreen(x, y)), "#7d93ad", 1);
  }
  context.strokeStyle = "#3a4d69";
  context.strokeRect(left - 0.5, top - 0.5, w + 1, h + 1);
  const marks = shown.map((i) => [i, mark(i)]).filter(([, rect]) => onScreen(rect));
  if (preview.naturalWidth && view.scale > 1.5 * preview.naturalWidth / width) { // the preview is coarser than the cut-outs
    for (const [i] of marks) drawCutout(i);
  }
  drawTracks(new Set(shown));
  marks.sort(([a], [b]) => b - a); // the strongest on top
  const thick = MARK_PX < 11 ? 1.2 : 1.6;
  for (const [i, rect] of marks) {
    if (isUnseen(i)) diamond(context, rect, ink(i), thick);
    else outline(context, shape(i, rect), ink(i), thick, dashOf(i));
  }
  if (shown.includes(chosen)) {
    const [x, y, mw, mh] = mark(chosen);
    outline(context, rectangle([x - 4, y - 4, mw + 8, mh + 8]), "#ffffff", 2.4);
  }
  if (marks.length * NUMBER_AREA < canvas.clientWidth * canvas.clientHeight) for (const [i, rect] of marks) number(i, rect);
  drawScale();
}

function outline(pen, corners, stroke, line, dash = []) {
  pen.beginPath();
  corners.forEach(([x, y], k) => { if (k) pen.lineTo(x, y); else pen.moveTo(x, y); });
  pen.closePath();
  for (const [style, thick, gaps] of [["#070b12", line + 1.6, []], [stroke, line, dash]]) {
    pen.strokeStyle = style;
    pen.lineWidth = thick;
    pen.setLineDash(gaps);
    pen.stroke();
  }
  pen.setLineDash([]);
}

function number(i, [x, y, w]) {
  context.font = "600 11px system-ui, sans-serif";
  context.lineWidth = 3;
  context.strokeStyle = "#070b12";
  context.fillStyle = ink(i);
  context.strokeText(label(i), x + w + 7, y + 6);
  context.fillText(label(i), x + w + 7, y + 6);
}

const images = new Map();
function cutoutImage(i) {
  if (!data.cutouts[i]) return null;
  if (!images.has(i)) {
    const image = new Image();
    image.onload = () => { draw(); if (i === chosen) drawDetail(); };
    image.src = `data:image/jpeg;base64,${data.cutouts[i].jpeg}`;
    images.set(i, image);
  }
  return images.get(i);
}

function drawCutout(i) {
  const image = cutoutImage(i);
  if (!image || !image.complete) return;
  const [x, y, w, h] = data.cutouts[i].window;
  context.drawImage(image, ...toScreen(x, y), w * view.scale, h * view.scale);
}

function drawScale() {
  const perPixel = (data.metres_per_px || 1) / view.scale, most = 140 * perPixel;
  const power = 10 ** Math.floor(Math.log10(most));
  const length = [5, 2, 1].map((f) => f * power).find((v) => v <= most);
  $("scale").firstElementChild.style.width = `${length / perPixel}px`;
  const [value, unit] = !data.metres_per_px ? [length, "px"] : length >= 1000 ? [length / 1000, "km"] : [length, "m"];
  $("scale").lastElementChild.textContent = `${+value.toPrecision(2)} ${unit}`;
}

function shipAt(x, y) {
  const hits = shown.filter((i) => { const [left, top, w, h] = mark(i); return x >= left && y >= top && x <= left + w && y <= top + h; });
  return hits.length ? Math.min(...hits) : -1;
}

function showPointer(x, y) {
  const [sx, sy] = toScene(x, y);
  if (sx < 0 || sy < 0 || sx > width || sy > height) { $("pointer").textContent = ""; return; }
  const place = lonlat(sx, sy);
  $("pointer").textContent = `${place ? `${degrees(...place, 4)}    ` : ""}px ${Math.floor(sx)}, ${Math.floor(sy)}`;
}

const pointers = new Map();
let travelled = 0;
const local = (event) => { const box = canvas.getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top]; };
const spread = () => { const [a, b] = [...pointers.values()]; return Math.hypot(a[0] - b[0], a[1] - b[1]); };

canvas.addEventListener("pointerdown", (event) => {
  canvas.setPointerCapture(event.pointerId);
  pointers.set(event.pointerId, local(event));
  travelled = 0;
});
canvas.addEventListener("pointermove", (event) => {
  const at = local(event), before = pointers.get(event.pointerId);
  showPointer(...at);
  if (!before) {
    const under = shipAt(...at);
    canvas.style.cursor = under >= 0 ? "pointer" : "";
    tip(under, ...at);
    return;
  }
  tip(-1);
  travelled += Math.hypot(at[0] - before[0], at[1] - before[1]);
  if (pointers.size === 2) {
    const old = spread();
    pointers.set(event.pointerId, at);
    const [a, b] = [...pointers.values()];
    zoom(spread() / Math.max(old, 1), (a[0] + b[0]) / 2, (a[1] + b[1]) / 2);
  } else {
    pointers.set(event.pointerId, at);
    pan(at[0] - before[0], at[1] - before[1]);
  }
});
for (const name of ["pointerup", "pointercancel"]) {
  canvas.addEventListener(name, (event) => {
    if (name === "pointerup" && pointers.size === 1 && travelled < 4) {
      choose(shipAt(...local(event)), true);
      tip(chosen, ...local(event));
    }
    pointers.delete(event.pointerId);
  });
}
canvas.addEventListener("pointerleave", (event) => { $("pointer").textContent = ""; if (event.pointerType === "mouse") tip(-1); });
canvas.addEventListener("wheel", (event) => { event.preventDefault(); zoom(1.0015 ** -event.deltaY, ...local(event)); }, { passive: false });
canvas.addEventListener("keydown", (event) => {
  const step = 60, moves = { ArrowLeft: [step, 0], ArrowRight: [-step, 0], ArrowUp: [0, step], ArrowDown: [0, -step] };
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (moves[event.key]) pan(...moves[event.key]);
  else if (event.key === "+" || event.key === "=") zoom(1.4);
  else if (event.key === "-") zoom(1 / 1.4);
  else if (event.key === "0") showAll();
  else return;
  event.preventDefault();
});
