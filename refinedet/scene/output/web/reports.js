// Reports of AIS on the map: states of ships, ships that were not seen, tracks, and the legend, which is a filter. Goes
// on where map.js ends; without AIS nothing of it shows.

const STATES = {
  matched: { ink: "#63c7ff", text: "matched with AIS", hint: "a ship of AIS is this detection" },
  dark: { ink: "#ff6b35", text: "dark", hint: "ships around it were heard, and none of them is this detection" },
  unknown: { ink: "#d5dbe4", text: "unknown", hint: "nothing can be said: no coverage, or a detection in doubt", dash: [4, 3] },
  unseen: { ink: "#ffe14d", text: "AIS, not seen", hint: "a ship of AIS at whose place nothing was detected" },
};
const hidden = new Set(); // states that the legend has switched off
let tracksShown = true;

const reported = reports ? reports.ships : [];
const itemOf = new Map(); // ship of AIS -> number on the map, of its detection or its own
reported.forEach((ship, k) => { if (ship.detection !== null) itemOf.set(k, ship.detection); });

// Ships of AIS that were not seen become ships of the map, after the detections.
function addUnseen() {
  reported.forEach((ship, k) => {
    if (ship.seen || !ship.at) return;
    const half = Math.max(3, (ship.length_m || 0) / 2 / (data.metres_per_px || 10)), [x, y] = ship.at;
    for (const key of Object.keys(ships)) ships[key].push(null);
    const own = {
      ais: "unseen", mmsi: ship.mmsi, ais_name: ship.name, ais_type: ship.type, ais_length_m: ship.length_m, ais_speed_kn: ship.speed_kn,
      ais_gap_s: ship.gap_s, ais_reason: ship.reason, lon: ship.lon, lat: ship.lat, bbox_px: [x - half, y - half, x + half, y + half], flags: [],
    };
    for (const [key, value] of Object.entries(own)) ships[key][count] = value;
    itemOf.set(k, count);
    count += 1;
  });
}

const isUnseen = (i) => i >= detected;
const label = (i) => isUnseen(i) ? `A${i - detected + 1}` : `${i + 1}`;
const titleOf = (i) => isUnseen(i) ? `Ship of AIS ${label(i)}, not seen` : `${data.words.one[0].toUpperCase()}${data.words.one.slice(1)} ${i + 1}`;
const ink = (i) => reports ? STATES[ships.ais[i]].ink : colour(scores[i]);
const dashOf = (i) => (reports ? STATES[ships.ais[i]].dash : ships.flags[i].length && [4, 3]) || [];
const stateShown = (i) => !reports || !hidden.has(ships.ais[i]);

// ---- drawing

function diamond(pen, [x, y, w, h], stroke, line) {
  const [cx, cy] = [x + w / 2, y + h / 2], r = Math.max(6, MARK_PX * 0.75);
  outline(pen, [[cx, cy - r], [cx + r, cy], [cx, cy + r], [cx - r, cy]], stroke, line);
}

function drawTracks(visible) {
  if (!tracksShown) return;
  reported.forEach((ship, k) => {
    const item = itemOf.get(k);
    if (item === undefined || !visible.has(item)) return;
    const points = ship.track.filter((p) => p).map(([x, y]) => toScreen(x, y));
    const now = ship.track[(ship.track.length - 1) / 2];
    context.strokeStyle = context.fillStyle = ink(item);
    context.globalAlpha = item === chosen ? 1 : 0.55;
    context.lineWidth = item === chosen ? 2 : 1.1;
    if (points.length > 1) {
      line(points);
      arrow(points[points.length - 2], points[points.length - 1]);
    }
    if (now && ship.at) { // from the real place to the one at which the image shows the ship
      const [real, seen] = [toScreen(...now), toScreen(...ship.at)];
      context.setLineDash([3, 3]);
      line([real, seen]);
      context.setLineDash([]);
      disc(real, 2.2);
    }
    context.globalAlpha = 1;
  });
}

function line(points) {
  context.beginPath();
  points.forEach(([x, y], k) => { if (k) context.lineTo(x, y); else context.moveTo(x, y); });
  context.stroke();
}

function disc([x, y], radius) {
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.fill();
}

function arrow([x0, y0], [x, y]) {
  const long = Math.hypot(x - x0, y - y0);
  if (long < 4) return;
  const [u, v] = [(x - x0) / long, (y - y0) / long], size = 6;
  context.beginPath();
  context.moveTo(x, y);
  context.lineTo(x - size * u - size / 2 * v, y - size * v + size / 2 * u);
  context.lineTo(x - size * u + size / 2 * v, y - size * v - size / 2 * u);
  context.fill();
}

// ---- words

function nameOf(i) {
  const known = [ships.ais_name[i], ships.mmsi[i] === null ? null : `${ships.mmsi[i]}`].filter((part) => part);
  const more = [ships.ais_type[i], ships.ais_length_m[i] === null ? null : `${Math.round(ships.ais_length_m[i])} m`].filter((part) => part);
  return [...known, ...more].join(", ");
}

function sentence(i) {
  const state = ships.ais[i];
  if (state === "matched") return nameOf(i);
  if (state === "unseen") return `not seen (${ships.ais_reason[i]}): ${nameOf(i)}`;
  if (state === "dark") return `dark: ${ships.ais_heard[i]} ships heard within 20 km, none is this one`;
  return `unknown: ${ships.ais_reason[i]}`;
}

// A few words beside the ship that is pointed at or was chosen.
function tip(i, x, y) {
  const box = $("tip");
  box.hidden = !reports || i < 0;
  if (box.hidden) return;
  box.textContent = `${label(i)}  ${sentence(i)}`;
  box.style.borderColor = ink(i);
  const [wide, high] = [box.offsetWidth, box.offsetHeight];
  box.style.left = `${Math.max(4, Math.min(x + 14, canvas.clientWidth - wide - 4))}px`;
  box.style.top = `${y + 18 + high > canvas.clientHeight ? Math.max(4, y - high - 12) : y + 18}px`;
}

// ---- the legend

function fillLegend() {
  $("legend").hidden = !reports;
  if (!reports) return;
  const counts = {};
  for (const state of ships.ais) counts[state] = (counts[state] || 0) + 1;
  const list = $("states");
  for (const [state, { text, hint }] of Object.entries(STATES)) {
    list.append(choice(`state-${state}`, text, hint, counts[state] || 0, (on) => { if (on) hidden.delete(state); else hidden.add(state); }));
  }
  list.append(choice("state-tracks", "tracks", "ways of the ships of AIS, ten minutes before and after the image", null, (on) => { tracksShown = on; }));
  if (reports.offset) {
    const [east, north] = reports.offset, way = (v, plus, minus) => `${Math.abs(v)} m ${v >= 0 ? plus : minus}`;
    $("offset").textContent = `The scene lies ${way(east, "east", "west")} and ${way(north, "north", "south")} of AIS. Ships of AIS are drawn with this offset.`;
  }
}

function choice(id, text, hint, number, use) {
  const item = document.createElement("li"), box = document.createElement("input"), name = document.createElement("label");
  const swatch = document.createElement("i"), told = document.createElement("b");
  box.type = "checkbox";
  box.checked = true;
  box.id = id;
  box.addEventListener("input", () => { use(box.checked); refresh(); });
  swatch.className = id;
  name.htmlFor = id;
  name.title = hint;
  name.append(swatch, text);
  if (number !== null) {
    told.textContent = number.toLocaleString("en");
    name.append(told);
  }
  item.append(box, name);
  return item;
}

addUnseen();
