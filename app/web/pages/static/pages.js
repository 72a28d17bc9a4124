"use strict";
// Without this file every page works; with it, jobs move by themselves and a click seeks in our own player.

const POLL_MS = 2000;
const GATHER_MS = 250; // events come in bursts

for (const part of document.querySelectorAll("[data-live]")) follow(part);
for (const player of document.querySelectorAll("video#player")) lead(player);

// Keeps a part of the page up to date: told by server-sent events, asking by itself where there are none.
function follow(part) {
  let shown = null;
  let due = null;
  let source = null;

  const later = (wait) => { if (!document.hidden) due ??= setTimeout(refresh, wait); };
  const ended = () => part.querySelector("[data-ended]") !== null;

  async function refresh() {
    due = null;
    try {
      const answer = await fetch(part.dataset.live, { headers: { Accept: "text/html" }, redirect: "manual" });
      if (answer.ok) show(await answer.text());
    } catch { /* the server is away: ask again */ }
    if (ended()) hush();
    else if (!listening()) later(POLL_MS);
  }

  function show(html) {
    if (html === shown) return;
    const focused = part.contains(document.activeElement) ? document.activeElement.id : "";
    part.innerHTML = shown = html;
    if (focused) document.getElementById(focused)?.focus();
  }

  const listening = () => source !== null && source.readyState === EventSource.OPEN;

  function listen() {
    source = new EventSource(part.dataset.events);
    for (const kind of ["message", "started", "stage", "progress", "completed", "failed", "cancelled"]) {
      source.addEventListener(kind, () => later(GATHER_MS));
    }
    source.onopen = () => later(GATHER_MS);
    source.onerror = () => later(POLL_MS);
  }

  function hush() {
    source?.close();
    source = null;
  }

  // A browser has six connections for each host: what nobody looks at holds none.
  function turn() {
    hush();
    if (document.hidden || ended()) return;
    listen();
    later(GATHER_MS);
  }

  document.addEventListener("visibilitychange", turn);
  turn();
}

// Seeks where a sentence is clicked, and shows which one is being said.
function lead(player) {
  const sentences = [...document.querySelectorAll(".transcript a[data-start]")];
  const starts = sentences.map((sentence) => Number(sentence.dataset.start));

  sentences.forEach((sentence, number) => sentence.addEventListener("click", (event) => {
    event.preventDefault();
    player.currentTime = starts[number];
    player.play().catch(() => {});
  }));
  player.addEventListener("loadedmetadata", () => {
    if (Number(player.dataset.start) > 0) player.currentTime = Number(player.dataset.start);
  });
  player.addEventListener("timeupdate", () => {
    const said = starts.findLastIndex((start) => start <= player.currentTime + 0.05);
    sentences.forEach((sentence, number) => sentence.parentElement.classList.toggle("playing", number === said));
  });
}
