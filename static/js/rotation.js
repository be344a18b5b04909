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
  document.querySelectorAll("[data-live]").forEach((part) => { if (!busy(part)) window.htmx.trigger(part, "tick"); });
};
// Nothing is renewed under the hands of somebody who types in it, has one of its menus open, or drags a row of it.
const busy = (part) => part.querySelector(".menu[open], .dragged") ||
  (part.contains(document.activeElement) && document.activeElement.matches("input, select, textarea"));
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
document.addEventListener("htmx:afterSwap", (event) => { if (event.detail.target?.closest("[data-live]")) live(true); });
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

// Dialogs: a link with data-dialog opens its page in <dialog id="dialog">; without script it simply leads there.
// A form in it stays there until the server sends the browser elsewhere.
const dialog = () => document.getElementById("dialog");
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-dialog]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || !window.htmx) return;
  event.preventDefault();
  window.htmx.ajax("GET", link.getAttribute("href"), { target: "#dialog", swap: "innerHTML" });
});
document.addEventListener("htmx:afterSwap", (event) => {
  const box = dialog();
  if (event.detail.target !== box) return;
  box.querySelectorAll("form[method=post]").forEach((form) => {
    form.setAttribute("hx-post", form.getAttribute("action"));
    form.setAttribute("hx-target", "#dialog");
    form.setAttribute("hx-swap", "innerHTML");
  });
  window.htmx.process(box);
  if (!box.open) box.showModal();
  (box.querySelector("[aria-invalid=true]") || box.querySelector("[autofocus], input:not([type=hidden]), select, textarea, .button"))?.focus();
});
document.addEventListener("click", (event) => {
  const box = dialog();
  const inside = box && box.open && box.contains(event.target);
  if (!inside || !(event.target === box || event.target.closest("[data-close]"))) return;
  event.preventDefault();
  if (box.querySelector("[data-reload]")) location.reload(); // what was done in it shows on the page
  else box.close();
});
// Escape closes it by itself; what it held (a key shown once) goes with it.
document.addEventListener("close", (event) => { if (event.target === dialog()) event.target.replaceChildren(); }, true);

// Menus close by a click elsewhere and by Escape. Toasts of success leave by themselves.
document.addEventListener("click", (event) => {
  document.querySelectorAll(".menu[open]").forEach((menu) => { if (!menu.contains(event.target)) menu.open = false; });
  event.target.closest("[data-dismiss]")?.closest(".toast").remove();
});
document.addEventListener("keydown", (event) => {
  const menu = event.key === "Escape" && event.target.closest?.(".menu[open]");
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
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
// What needs a script is shown by it.
const reveal = () => document.querySelectorAll("[data-copy], [data-dismiss]").forEach((one) => { one.hidden = false; });
document.addEventListener("htmx:afterSwap", reveal);
document.addEventListener("DOMContentLoaded", () => {
  reveal();
  setTimeout(() => document.querySelectorAll(".toast.success").forEach((toast) => toast.remove()), 8000);
});
