// What the pages do by themselves: keep live parts fresh, count down, remember theme and time zone, copy.
// Everything here is a comfort: without it every page reads and every form works.
"use strict";

const TICK = 2000; // ms between two looks for something new

const remember = (name, value) => {
  document.cookie = `${name}=${encodeURIComponent(value)}; path=/; max-age=31536000; samesite=lax`;
};

// The server writes times in the zone it knows of; from the second page on that is the reader's.
remember("tz", Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC");

// Live parts ask "anything newer than this state?"; 204 means no, and the page stays as it is.
// A hidden tab asks nothing. One request at a time: htmx drops a tick while one is on its way (hx-sync).
const look = () => {
  if (document.visibilityState !== "visible" || !window.htmx) return;
  document.querySelectorAll("[data-live]").forEach((part) => window.htmx.trigger(part, "tick"));
};
setInterval(look, TICK);
document.addEventListener("visibilitychange", look);

// The pill says "live" only while that is true.
const live = (yes) => {
  document.body.classList.toggle("offline", !yes);
  document.querySelectorAll("[data-live-word]").forEach((word) => {
    word.textContent = yes ? "live ·" : "not connected ·";
    word.hidden = false;
  });
};
document.addEventListener("htmx:afterRequest", (event) => {
  if (event.detail.elt.closest("[data-live]")) live(event.detail.successful);
});
document.addEventListener("htmx:afterSwap", () => live(true));
// A session that ended answers with the login page: go there instead of showing it inside this one.
document.addEventListener("htmx:beforeSwap", (event) => {
  if (!event.detail.xhr.responseURL.includes("/login/")) return;
  event.detail.shouldSwap = false;
  location.reload();
});

// Countdowns: <time data-until="epoch seconds">14 s</time>; at zero the pill around it says so.
const lasting = (s) => {
  if (s < 100) return `${s} s`;
  const [d, h, m] = [Math.floor(s / 86400), Math.floor((s % 86400) / 3600), Math.floor((s % 3600) / 60)];
  if (d) return h ? `${d} d ${h} h` : `${d} d`;
  if (h) return m ? `${h} h ${m} min` : `${h} h`;
  return `${m} min`;
};
// The server's clock is the one that counts; every answer tells how far this one is off.
let skew = 0;
const countDown = () => {
  const now = Date.now() / 1000 + skew;
  document.querySelectorAll("[data-until]").forEach((mark) => {
    const left = Math.ceil(Number(mark.dataset.until) - now);
    if (left > 0) {
      const text = lasting(left);
      if (mark.textContent !== text) mark.textContent = text;
      return;
    }
    const pill = mark.closest("[data-after]");
    if (!pill) return;
    pill.className = `pill ok${pill.classList.contains("slim") ? " slim" : ""}`;
    pill.textContent = pill.dataset.after;
  });
};
const setSkew = () => {
  const mark = document.querySelector("[data-now]");
  if (mark) skew = Number(mark.dataset.now) - Date.now() / 1000;
};
document.addEventListener("htmx:afterSwap", () => { setSkew(); countDown(); });
document.addEventListener("DOMContentLoaded", () => {
  setSkew();
  countDown();
  if (document.querySelector("[data-live]")) live(true);
  document.querySelectorAll("[data-copy]").forEach((button) => { button.hidden = false; });
});
setInterval(countDown, 1000);

// Theme: the form works without this; with it the page does not reload.
const THEMES = { auto: "light", light: "dark", dark: "auto" };
document.addEventListener("submit", (event) => {
  const form = event.target.closest("[data-theme-form]");
  if (!form) return;
  event.preventDefault();
  const chosen = form.elements.theme.value;
  remember("theme", chosen);
  if (chosen === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = chosen;
  form.elements.theme.value = THEMES[chosen];
  form.querySelector("[data-theme-word]").textContent = chosen;
});

// Copy buttons beside a line of code; shown by script, because they need it.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const code = button.parentElement.querySelector("pre");
  try {
    await navigator.clipboard.writeText(code.textContent);
    button.textContent = "Copied";
  } catch {
    getSelection().selectAllChildren(code); // no permission, or plain http: one key press is left
    button.textContent = "Press Ctrl C";
  }
  setTimeout(() => { button.textContent = "Copy"; }, 2000);
});
document.addEventListener("htmx:afterSwap", () => {
  document.querySelectorAll("[data-copy]").forEach((button) => { button.hidden = false; });
});
