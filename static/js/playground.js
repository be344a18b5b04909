// The Playground with scripts: the browser asks /v1 itself and shows the answer as it comes. Without them the form works.
"use strict";

const NOWHERE = "00000000-0000-0000-0000-000000000000";
const playground = document.querySelector("[data-playground]");
const value = (name) => playground.elements[name].value.trim();
const file = (name) => playground.elements[name].files[0];
let stopping = null; // the AbortController of what is under way

const dataUrl = (chosen) => new Promise((done, failed) => {
  const reader = new FileReader();
  reader.addEventListener("load", () => done(reader.result));
  reader.addEventListener("error", () => failed(reader.error));
  reader.readAsDataURL(chosen);
});

const content = async () => {
  const picture = file("picture");
  if (!picture) return value("message");
  return [{ type: "text", text: value("message") }, { type: "image_url", image_url: { url: await dataUrl(picture) } }];
};

const past = (side) => {
  try { return JSON.parse(playground.elements[`history_${side}`].value || "[]"); } catch { return []; }
};

const chat = async (side) => {
  const said = past(side).filter((turn) => turn.role !== "system");
  const system = value("system") ? [{ role: "system", content: value("system") }] : [];
  const body = { model: value(side), stream: true, messages: [...system, ...said, { role: "user", content: await content() }] };
  if (value("max_tokens")) body.max_tokens = Number(value("max_tokens"));
  if (value("temperature")) body.temperature = Number(value("temperature"));
  return ["/v1/chat/completions", JSON.stringify(body), { "content-type": "application/json" }, body.messages];
};

const speech = (side) => {
  const form = new FormData();
  form.set("model", value(side));
  form.set("file", file("audio"));
  return ["/v1/audio/transcriptions", form, {}, null];
};

// Server-sent events: what stands behind "data:", one object after the other.
async function* events(answer) {
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value: piece } = await reader.read();
    if (done) return;
    const lines = (rest + piece).split("\n");
    rest = lines.pop();
    for (const line of lines) {
      if (line.startsWith("data:") && !line.includes("[DONE]")) yield JSON.parse(line.slice(5));
    }
  }
}

const card = (target) => {
  const made = document.querySelector("template[data-answer]").content.firstElementChild.cloneNode(true);
  document.querySelector("[data-answers]").append(made);
  const part = (name) => made.querySelector(`[data-part=${name}]`);
  part("target").textContent = target;
  return part;
};

const failed = (part, words) => { part("error").textContent = words; part("error").hidden = false; };

const facts = (part, answer, begun, first) => {
  const told = (name) => answer.headers.get(`x-rotation-${name}`);
  const seconds = (ms) => `${(ms / 1000).toFixed(2)} s`;
  const words = [seconds(performance.now() - begun)];
  if (first) words.unshift(`first token ${seconds(first - begun)}`);
  if (told("model")) words.push(`${told("model")} at ${told("provider")}`);
  if (told("attempts")) words.push(`${told("attempts")} ${told("attempts") === "1" ? "attempt" : "attempts"}`);
  if (told("simulated")) words.push("simulated");
  part("facts").textContent = words.join(" · ");
};

const why = (part, id) => {
  if (!id || !window.htmx) return;
  const spot = document.createElement("div");
  part("decision").append(spot);
  window.htmx.ajax("GET", playground.dataset.decision.replace(NOWHERE, id), { target: spot, swap: "outerHTML" });
};

const stream = async (part, answer, begun) => {
  let text = "", first = null;
  for await (const event of events(answer)) {
    if (event.error) { failed(part, event.error.message || "The stream broke off."); break; }
    const delta = event.choices?.[0]?.delta || {};
    const thought = delta.reasoning || delta.reasoning_content;
    if (thought) { part("thinking").hidden = false; part("reasoning").textContent += thought; }
    if (delta.content) { text += delta.content; part("text").textContent = text; }
    if (delta.content || thought) first ??= performance.now();
    facts(part, answer, begun, first);
  }
  return text.toWellFormed().replaceAll("\0", "\ufffd"); // the next question, with this in it, would be refused
};

const ask = async (side, signal) => {
  const part = card(value(side));
  const [path, body, headers, sent] = file("audio") ? speech(side) : await chat(side);
  const begun = performance.now();
  try {
    const answer = await fetch(path, {
      method: "POST", body, signal, headers: { ...headers, authorization: `Bearer ${playground.dataset.playground}` },
    });
    facts(part, answer, begun);
    const streamed = (answer.headers.get("content-type") || "").startsWith("text/event-stream");
    if (answer.ok && streamed) {
      const text = await stream(part, answer, begun);
      playground.elements[`history_${side}`].value = JSON.stringify([...sent, { role: "assistant", content: text }]);
    } else {
      const told = await answer.json();
      if (answer.ok) part("text").textContent = told.text;
      else failed(part, told.error?.message || `HTTP ${answer.status}`);
    }
    why(part, answer.headers.get("x-request-id"));
  } catch (error) {
    failed(part, error.name === "AbortError" ? "Stopped." : `No answer: ${error.message}`);
  }
};

playground?.addEventListener("submit", async (event) => {
  if (!playground.dataset.playground || !(value("message") || file("audio")) || !value("a")) return; // the server says what is missing
  event.preventDefault();
  document.querySelector("[data-answers]").replaceChildren();
  const stop = playground.querySelector("[data-stop]");
  stopping = new AbortController();
  stop.hidden = false;
  await Promise.all(["a", "b"].filter(value).map((side) => ask(side, stopping.signal)));
  stop.hidden = true;
  playground.elements.message.value = "";
  if (value("history_a")) playground.querySelector("[data-turns]").textContent = "The conversation goes on.";
});
playground?.querySelector("[data-stop]").addEventListener("click", () => stopping?.abort());
