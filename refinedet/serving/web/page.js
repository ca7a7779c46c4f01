"use strict";

const MOST_ROWS = 500;
const COLUMNS = [
  ["number", "ship", 0], ["score", "score", 2], ["lon", "longitude", 5], ["lat", "latitude", 5],
  ["length_m", "length (m)", 0], ["width_m", "width (m)", 0], ["heading_deg", "heading (°)", 0], ["flags", "flags", null],
];
const one = (id) => document.getElementById(id);
const form = one("form"), file = one("scene"), drop = one("drop");
let sending = null, events = null, job = null;

const show = (id, shown) => { one(id).hidden = !shown; };
const told = (text) => { one("error").textContent = text; show("error", Boolean(text)); };
const tell = (text, share) => {
  one("state").textContent = text;
  if (share === null) one("bar").removeAttribute("value"); else one("bar").value = share;
};

function stop() {
  if (sending) sending.abort();
  if (events) events.close();
  if (job) fetch(`/jobs/${job}`, { method: "DELETE" });
  sending = events = job = null;
  show("progress", false);
}

function start(scene) {
  stop();
  told("");
  show("found", false);
  one("map").removeAttribute("src");
  one("name").textContent = scene.name;
  tell("is sent ...", 0);
  show("progress", true);
  const options = new URLSearchParams();
  for (const [name, value] of new FormData(form)) if (typeof value === "string" && value) options.append(name, value);
  const body = new FormData();
  body.append("scene", scene, scene.name);
  const request = sending = new XMLHttpRequest();
  request.open("POST", `/jobs?${options}`);
  request.responseType = "json";
  request.upload.onprogress = (sent) => { if (sent.lengthComputable) tell("is sent ...", sent.loaded / sent.total); };
  request.onload = () => {
    sending = null;
    if (request.status !== 202) return fail(request.response?.error ?? `The server answered ${request.status}.`);
    job = request.response.id;
    watch(job);
  };
  request.onerror = () => { sending = null; fail("The server cannot be reached, or did not take the whole file."); };
  request.send(body);
}

function fail(sentence) {
  show("progress", false);
  told(sentence);
  file.value = "";
}

function watch(id) {
  const stream = events = new EventSource(`/jobs/${id}/events`);
  stream.addEventListener("state", (message) => {
    const now = JSON.parse(message.data);
    if (now.state === "waiting") tell("waits for its turn ...", null);
    else if (now.state === "running") tell(now.windows ? `is looked at: ${now.windows_done} of ${now.windows} windows` : "is opened ...", now.windows ? now.windows_done / now.windows : null);
    else {
      stream.close();
      events = null;
      if (now.state === "done") return shown(now);
      job = null;
      fail(now.error ?? "The job was cancelled.");
    }
  });
  stream.onerror = () => { if (stream.readyState === EventSource.CLOSED) fail("The server has ended."); };
}

async function shown(now) {
  show("progress", false);
  file.value = "";
  one("count").textContent = `${now.ships === 0 ? "No ship" : now.ships === 1 ? "1 ship" : `${now.ships} ships`} in ${now.scene}, in ${now.seconds.toFixed(1)} s`;
  one("notes").replaceChildren(...now.notes.map(listed));
  one("files").replaceChildren(...now.results.map((address) => {
    const link = element("a", address.split("/").at(-1));
    link.href = address;
    link.download = "";
    return link;
  }));
  one("map").src = `/jobs/${now.id}/map.html`;
  show("found", true);
  const answer = await fetch(`/jobs/${now.id}/ships.geojson`);
  if (answer.ok) table((await answer.json()).features);
}

function table(ships) {
  const used = COLUMNS.filter(([key]) => key === "number" || ships.some((ship) => worth(ship.properties[key])));
  document.querySelector("thead tr").replaceChildren(...used.map(([, name]) => element("th", name)));
  document.querySelector("tbody").replaceChildren(...ships.slice(0, MOST_ROWS).map((ship, place) => {
    const row = document.createElement("tr");
    row.append(...used.map(([key, , digits]) => element("td", key === "number" ? String(place + 1) : text(ship.properties[key], digits))));
    return row;
  }));
  one("more").textContent = `The table shows the strongest ${MOST_ROWS} of ${ships.length} ships; ships.geojson has all.`;
  show("more", ships.length > MOST_ROWS);
  show("scroll", ships.length > 0);
}

const worth = (value) => value !== null && value !== undefined && value.length !== 0;
const text = (value, digits) => !worth(value) ? "" : digits === null ? value.join(", ") : value.toFixed(digits);

// A note as an item of the list; what it has in backquotes is an option, which stands without them.
function listed(note) {
  const item = document.createElement("li");
  item.append(...note.split("`").map((part, place) => place % 2 ? element("code", part) : part));
  return item;
}

function element(name, content) {
  const made = document.createElement(name);
  made.textContent = content;
  return made;
}

form.addEventListener("submit", (event) => event.preventDefault());
file.addEventListener("change", () => { if (file.files.length) start(file.files[0]); });
one("cancel").addEventListener("click", () => { stop(); told("The job was cancelled."); file.value = ""; });
for (const kind of ["dragover", "drop"]) document.addEventListener(kind, (event) => event.preventDefault());
document.addEventListener("dragover", () => drop.classList.add("over"));
for (const kind of ["dragleave", "drop"]) document.addEventListener(kind, () => drop.classList.remove("over"));
document.addEventListener("drop", (event) => { if (event.dataTransfer.files.length) start(event.dataTransfer.files[0]); });
fetch("/health").then((answer) => answer.json()).then((health) => {
  one("most").textContent = `, up to ${(health.upload_bytes / 1e6).toLocaleString("en")} MB`;
});
