// Rows of a pool dragged by hand; the buttons beside them do the same without a script and by keyboard.
"use strict";

let dragged = null;

document.addEventListener("pointerdown", (event) => {
  const row = event.target.closest("[data-order] > li");
  if (row) row.draggable = Boolean(event.target.closest(".grip")); // text stays selectable everywhere else
});
document.addEventListener("dragstart", (event) => {
  dragged = event.target.closest?.("[data-order] > li") || null;
  if (!dragged) return;
  dragged.classList.add("dragged");
  event.dataTransfer.effectAllowed = "move";
});
document.addEventListener("dragover", (event) => {
  const over = event.target.closest?.("[data-order] > li");
  if (!dragged || !over || over.parentElement !== dragged.parentElement) return;
  event.preventDefault();
  const box = over.getBoundingClientRect();
  if (over !== dragged) over.parentElement.insertBefore(dragged, event.clientY < box.top + box.height / 2 ? over : over.nextSibling);
});
document.addEventListener("drop", (event) => { if (dragged) event.preventDefault(); });
document.addEventListener("dragend", () => {
  if (!dragged) return;
  const list = dragged.parentElement;
  dragged.classList.remove("dragged");
  dragged.draggable = false;
  dragged = null;
  const order = [...list.querySelectorAll("[data-deployment]")].map((row) => row.dataset.deployment).join(",");
  const token = list.querySelector("[name=csrfmiddlewaretoken]").value;
  window.htmx.ajax("POST", list.dataset.order, {
    target: "#live", swap: "outerHTML", values: { order, version: list.dataset.version, csrfmiddlewaretoken: token },
  });
});
