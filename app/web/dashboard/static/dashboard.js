"use strict";
// Without this file every page works; with it, pages move by themselves and ask before they delete.

const EVERY_MS = Number(document.body.dataset.refreshMs);
const PATIENCE_MS = 10_000;
const LIVE = "[data-live]";
let pressed = false;

document.addEventListener("pointerdown", () => { pressed = true; });
for (const kind of ["pointerup", "pointercancel"]) {
  document.addEventListener(kind, () => setTimeout(() => { pressed = false; }, 300));
}

// Nothing changes under a hand: while a button is down, text is marked or a field is being filled in.
function isBusy() {
  const marked = getSelection();
  const field = document.activeElement?.closest("input:not([type=checkbox]), select, textarea");
  return document.hidden || pressed || (marked !== null && !marked.isCollapsed) || (field?.closest(LIVE) ?? null) !== null;
}

async function refresh() {
  if (!isBusy()) {
    try {
      const signal = AbortSignal.timeout(PATIENCE_MS);
      const answer = await fetch(location.href, { headers: { Accept: "text/html" }, redirect: "error", signal });
      const type = answer.headers.get("Content-Type") ?? "";
      if (type.startsWith("text/html") && !isBusy()) show(await answer.text());
      say(answer.ok ? "" : "The server refuses to show this page now; what stands here is old.");
    } catch {
      say("The server does not answer; what stands here is old.");
    }
  }
  setTimeout(refresh, EVERY_MS);
}

function show(html) {
  const fresh = new DOMParser().parseFromString(html, "text/html");
  for (const part of document.querySelectorAll(LIVE)) {
    const next = fresh.getElementById(part.id);
    if (next && !pressed && next.innerHTML !== part.fresh) replace(part, next);
  }
}

// Puts the new part in place of the old one: what was ticked, opened, focused and scrolled stays so.
function replace(part, next) {
  const ticked = new Set([...part.querySelectorAll("input:checked")].map((box) => box.value));
  const opened = new Set([...part.querySelectorAll("details[open]")].map((detail) => detail.id));
  const scrolled = new Map([...part.querySelectorAll(".panel")].map((panel, number) => [number, panel.scrollLeft]));
  const focused = part.contains(document.activeElement) ? document.activeElement.id : "";
  part.fresh = next.innerHTML;
  part.replaceChildren(...next.childNodes);
  for (const box of part.querySelectorAll("input[type=checkbox]")) box.checked = ticked.has(box.value);
  for (const detail of part.querySelectorAll("details")) detail.open ||= opened.has(detail.id);
  part.querySelectorAll(".panel").forEach((panel, number) => { panel.scrollLeft = scrolled.get(number) ?? 0; });
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
}

function say(text) {
  const place = document.getElementById("stale");
  place.textContent = text;
  place.hidden = text === "";
}

// Asks before what cannot be taken back, and sends each form once.
document.addEventListener("submit", (event) => {
  const asks = event.submitter?.dataset.asks ?? event.target.dataset.asks;
  if (event.target.dataset.sent || (asks && !confirm(asks))) {
    event.preventDefault();
    return;
  }
  if (event.target.method === "post") event.target.dataset.sent = "yes";
});
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});

// One tick for all of a list.
document.addEventListener("change", (event) => {
  if (!event.target.matches("[data-ticks]")) return;
  for (const box of document.querySelectorAll(`input[name=${event.target.dataset.ticks}]`)) box.checked = event.target.checked;
});

// On a narrow screen the pages' names are a line that scrolls: begin at the present one.
document.querySelector("#nav [aria-current]")?.scrollIntoView({ inline: "center", block: "nearest" });
if (EVERY_MS > 0) setTimeout(refresh, EVERY_MS);
