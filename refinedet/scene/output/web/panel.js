// What stands beside the map: filter, table and the chosen ship; then the start. Goes on where reports.js ends.

// ---- the table

const head = document.querySelector("thead tr"), body = document.querySelector("tbody");
const inTable = [{ key: "number", label: data.words.one, digits: 0 }, ...data.columns.filter((c) => c.table)];
const valueOf = (key, i) => key === "number" ? i + 1 : Array.isArray(ships[key][i]) ? ships[key][i].join(", ") : ships[key][i];

function compare(a, b) {
  const [p, q] = [valueOf(sorting.key, a), valueOf(sorting.key, b)];
  if (p === q) return a - b;
  if (p === null || p === "") return 1; // unknown ones last, whichever way
  if (q === null || q === "") return -1;
  return (p < q ? -1 : 1) * (sorting.down ? -1 : 1);
}

function refresh() {
  const least = Number($("score").value), flag = $("flag").value;
  const passes = (i) => stateShown(i) && (isUnseen(i) || scores[i] >= least - 1e-9) && (!flag || (flag === "none" ? !ships.flags[i].length : ships.flags[i].includes(flag)));
  shown = Array.from({ length: count }, (_, i) => i).filter(passes).sort(compare);
  $("score-value").textContent = least.toFixed(2);
  const listed = shown.length > ROWS_MOST ? `; the first ${ROWS_MOST.toLocaleString("en")} are listed` : "";
  $("shown").textContent = count ? `${shown.length.toLocaleString("en")} of ${count.toLocaleString("en")} ${count === 1 ? data.words.one : data.words.many}${reports ? ", those of AIS that were not seen included" : ""}${listed}` : `No ${data.words.one} was found.`;
  body.replaceChildren(...shown.slice(0, ROWS_MOST).map(row));
  head.querySelectorAll("th").forEach((th) => {
    if (th.dataset.key === sorting.key) th.setAttribute("aria-sort", sorting.down ? "descending" : "ascending");
    else th.removeAttribute("aria-sort");
  });
  showChosen();
  draw();
}

function row(i) {
  const tr = document.createElement("tr");
  tr.dataset.ship = i;
  for (const column of inTable) {
    const td = tr.insertCell();
    if (column.key === "number") {
      const button = document.createElement("button");
      button.type = "button";
      button.tabIndex = -1;
      button.textContent = label(i);
      button.setAttribute("aria-label", titleOf(i));
      button.style.setProperty("--mark", ink(i));
      td.append(button);
    } else {
      td.textContent = format(column, ships[column.key][i]);
      if (column.text) td.className = "text";
      if (column.key === "ais_reason") td.title = td.textContent;
    }
  }
  return tr;
}

for (const column of inTable) {
  const th = document.createElement("th"), button = document.createElement("button");
  th.scope = "col";
  th.dataset.key = column.key;
  if (column.text) th.className = "text";
  button.type = "button";
  button.textContent = column.label;
  button.addEventListener("click", () => {
    const numeric = !column.text && column.key !== "number";
    sorting = { key: column.key, down: sorting.key === column.key ? !sorting.down : numeric };
    refresh();
  });
  th.append(button);
  head.append(th);
}
body.addEventListener("click", (event) => {
  const tr = event.target.closest("tr");
  if (tr) choose(Number(tr.dataset.ship), false, true);
});
body.addEventListener("keydown", (event) => {
  const tr = event.target.closest("tr");
  const next = { ArrowDown: tr?.nextElementSibling, ArrowUp: tr?.previousElementSibling, Home: body.firstElementChild, End: body.lastElementChild }[event.key];
  if (!next) return;
  event.preventDefault();
  choose(Number(next.dataset.ship), false, true);
  next.querySelector("button").focus();
});

// ---- the chosen ship

function choose(i, scroll, follow) {
  chosen = i;
  history.replaceState(null, "", i < 0 ? "#" : `#ship=${i + 1}`);
  showChosen();
  const tr = body.querySelector("[aria-current]");
  if (scroll && tr) $("scroll").scrollTop = tr.offsetTop - $("scroll").clientHeight / 2; // the list alone, not the page
  if (follow) centre(i);
  draw();
}

function centre(i) { // only where it is out of sight
  const rect = mark(i);
  if (rect[0] < 0 || rect[1] < 0 || rect[0] + rect[2] > canvas.clientWidth || rect[1] + rect[3] > canvas.clientHeight) goTo(i, view.scale);
}

function goTo(i, scale) {
  const [x1, y1, x2, y2] = ships.bbox_px[i];
  Object.assign(view, { x: (x1 + x2) / 2, y: (y1 + y2) / 2, scale });
  draw();
}

function showChosen() {
  body.querySelectorAll("[aria-current]").forEach((tr) => tr.removeAttribute("aria-current"));
  body.querySelectorAll("[tabindex='0']").forEach((button) => { button.tabIndex = -1; });
  const tr = body.querySelector(`[data-ship="${chosen}"]`);
  tr?.setAttribute("aria-current", "true");
  const first = (tr || body.firstElementChild)?.querySelector("button");
  if (first) first.tabIndex = 0; // one stop of the Tab key; the arrow keys go on from there
  $("details").hidden = chosen < 0;
  if (chosen >= 0) fillDetails();
}

function fillDetails() {
  document.querySelector("#details h2").textContent = titleOf(chosen);
  const mute = (c) => c.key === "lon" || c.key === "lat" || (isUnseen(chosen) && (c.key === "flags" || c.key === "bbox_px"));
  const wanted = (c) => !mute(c) && !((c.spare || isUnseen(chosen)) && ships[c.key][chosen] === null);
  const entries = data.columns.filter(wanted).map((c) => {
    const value = ships[c.key][chosen];
    const known = value !== null && !(Array.isArray(value) && !value.length);
    return [c.name, known ? `${format(c, value)}${c.unit && c.unit !== "°" ? " " : ""}${c.unit}` : "–"];
  });
  if (ships.lon[chosen] !== null) entries.unshift(["place", degrees(ships.lon[chosen], ships.lat[chosen], 5)]);
  document.querySelector("#details dl").replaceChildren(...entries.flatMap((pair) => pair.map((text, k) => {
    const item = document.createElement(k ? "dd" : "dt");
    item.textContent = text;
    return item;
  })));
  drawDetail();
}

// The cut-out as it is in the page, or else the preview, magnified.
function drawDetail() {
  const target = $("cutout"), pen = target.getContext("2d"), side = target.width;
  const [x1, y1, x2, y2] = ships.bbox_px[chosen];
  const reach = Math.max(64, 2.2 * Math.max(x2 - x1, y2 - y1));
  const [left, top, k] = [(x1 + x2 - reach) / 2, (y1 + y2 - reach) / 2, side / reach];
  pen.clearRect(0, 0, side, side);
  const image = cutoutImage(chosen);
  const [source, [x, y, w, h]] = image ? [image, data.cutouts[chosen].window] : [preview, [0, 0, width, height]];
  if (source.complete && source.naturalWidth) pen.drawImage(source, (x - left) * k, (y - top) * k, w * k, h * k);
  const box = [(x1 - left) * k, (y1 - top) * k, (x2 - x1) * k, (y2 - y1) * k];
  if (isUnseen(chosen)) diamond(pen, box, ink(chosen), 2);
  else outline(pen, turned(chosen, (px, py) => [(px - left) * k, (py - top) * k]) || rectangle(box), ink(chosen), 2, dashOf(chosen));
}

// ---- start

$("zoom-in").addEventListener("click", () => zoom(1.6));
$("zoom-out").addEventListener("click", () => zoom(1 / 1.6));
$("zoom-all").addEventListener("click", showAll);
$("go").addEventListener("click", () => {
  const [x1, y1, x2, y2] = ships.bbox_px[chosen];
  goTo(chosen, Math.min(12, 0.3 * Math.min(canvas.clientWidth, canvas.clientHeight) / Math.max(x2 - x1, y2 - y1)));
});
$("filter").addEventListener("input", refresh);
$("filter").addEventListener("submit", (event) => event.preventDefault());
$("ramp").style.background = `linear-gradient(to right, ${RAMP.map((c) => `rgb(${c.join(" ")})`).join(", ")})`;
Object.assign($("score"), { min: lowest, max: 1, value: lowest });
$("ramp").hidden = reports !== null;
$("cutout").hidden = !$("preview");
fillLegend();
$("flag").hidden = document.querySelector('label[for="flag"]').hidden = !ships.flags.some((flags) => flags.length);
for (const flag of [...new Set(ships.flags.flat())].sort()) $("flag").add(new Option(`only: ${flag}`, flag));
$("filter").hidden = $("scroll").hidden = !count;
if (count) $("flag").add(new Option("without any", "none"), 1);
if (data.north_deg !== null) {
  $("north").removeAttribute("hidden");
  $("north").style.transform = `rotate(${data.north_deg}deg)`;
}
new ResizeObserver(() => draw()).observe(canvas);
refresh();
preview.decode().catch(() => {}).then(() => {
  showAll();
  const asked = /^#ship=(\d+)$/.exec(location.hash);
  if (asked && asked[1] >= 1 && asked[1] <= count) choose(asked[1] - 1, true, true);
});
