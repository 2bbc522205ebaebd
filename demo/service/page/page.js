"use strict";
// Shows what /live says. Everything from outside becomes text nodes, never markup.

const AMBER = 0.3;
const RED = 0.1;
const SVG = "http://www.w3.org/2000/svg";
const byId = (id) => document.getElementById(id);

let last = null;
let heardAt = 0;

const stream = new EventSource("/live");
stream.onmessage = (message) => {
  last = JSON.parse(message.data);
  heardAt = performance.now();
  show(last);
};
stream.onerror = () => badge("away", "service away");
setInterval(ring, 100);

function show(status) {
  badge(status.state, status.state);
  set("user", status.user ?? "none yet");
  set("role", status.role);
  set("renewals", status.renewals);
  set("switches", Math.max(0, status.credentials - 1));
  set("handed_back", status.handed_back);
  set("queries", status.queries);
  set("errors", status.errors);
  byId("errors").className = status.errors > 0 ? "bad" : "";
  set("retried", status.retried);
  const took = status.latencies_ms.at(-1);
  set("took", took == null ? "–" : `${took} ms`);
  bars(status.latencies_ms);
  orders(status.orders);
  secret(status.secret);
  log(status.log);
  const trouble = byId("trouble");
  trouble.hidden = !status.trouble;
  if (status.trouble) set("trouble", `Coffer does not help at present, the service goes on with what it has. ${status.trouble}`);
  const dashboard = byId("dashboard");
  if (/^https?:\/\//.test(status.coffer)) {
    dashboard.href = `${status.coffer.replace(/\/+$/, "")}/ui/`;
    dashboard.hidden = false;
  }
  ring();
}

function badge(tone, words) {
  const state = byId("state");
  if (state.textContent !== words) state.textContent = words;
  state.className = `badge ${tone}`;
}

// A value that changes lights up, unless it was not there before.
function set(id, value) {
  const element = byId(id);
  const text = String(value);
  if (element.textContent === text) return;
  const first = element.textContent === "–";
  element.textContent = text;
  if (first || !["user", "secret_version", "secret_fingerprint", "switches"].includes(id)) return;
  element.classList.remove("changed");
  void element.offsetWidth;
  element.classList.add("changed");
}

function ring() {
  if (!last) return;
  const left = Math.max(0, last.lease_ends_in_s - (performance.now() - heardAt) / 1000);
  const part = last.lease_ttl_s > 0 ? Math.min(1, left / last.lease_ttl_s) : 0;
  byId("arc").setAttribute("stroke-dashoffset", String(100 * (1 - part)));
  byId("arc").setAttribute("visibility", part > 0 ? "visible" : "hidden");
  const words = left >= 90 ? `${Math.floor(left / 60)}m ${Math.floor(left % 60)}s` : `${Math.ceil(left)} s`;
  if (byId("left").textContent !== words) {
    byId("left").textContent = words;
    byId("ring").setAttribute("aria-label", `${words} left`);
    byId("ring").className = `ring ${part < RED ? "bad" : part < AMBER ? "warn" : ""}`;
  }
}

function bars(latencies) {
  const most = Math.max(5, ...latencies.map((took) => took ?? 0));
  const rects = latencies.map((took, index) => {
    const rect = document.createElementNS(SVG, "rect");
    const height = took == null ? 48 : Math.max(2, (46 * took) / most);
    const place = { x: 300 - 5 * (latencies.length - index), y: 48 - height, width: 4, height };
    for (const [name, value] of Object.entries(place)) rect.setAttribute(name, String(value));
    if (took == null) rect.setAttribute("class", "failed");
    return rect;
  });
  byId("bars").replaceChildren(...rects);
}

function orders(rows) {
  const lines = rows.map((row) => {
    const line = document.createElement("tr");
    for (const [name, kind] of [["id", ""], ["item", ""], ["cups", "num"]]) {
      const cell = document.createElement("td");
      cell.textContent = String(row[name] ?? "");
      cell.className = kind;
      line.append(cell);
    }
    return line;
  });
  byId("orders").replaceChildren(...lines);
}

function secret(now) {
  set("secret_path", now.path);
  set("secret_version", now.version || "none");
  set("secret_fingerprint", now.fingerprint ?? "none");
  set("secret_after", now.learnt_after_ms == null ? "at the start" : `${now.learnt_after_ms} ms`);
  set("secret_by", now.by);
  set("rotate", `coffer kv put ${now.path} api_key=another`);
}

function log(lines) {
  const key = lines.length ? lines.at(-1).at + lines.at(-1).text + lines.length : "";
  const list = byId("log");
  if (list.dataset.key === key) return;
  list.dataset.key = key;
  const items = lines.toReversed().map(({ at, text }) => {
    const item = document.createElement("li");
    const time = document.createElement("time");
    const words = document.createElement("span");
    time.textContent = at;
    words.textContent = text;
    words.className = text.startsWith("new credential") ? "new" : text.startsWith("trouble") ? "trouble" : "";
    item.append(time, words);
    return item;
  });
  list.replaceChildren(...items);
}
