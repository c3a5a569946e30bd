// dom.js - elements, texts and times. What comes from outside goes in by textContent only, cut and isolated: a text that
// turns the direction of writing turns nothing but itself.

const LONGEST = 300; // characters of a text in a row; a dialog shows more

// el("span", "chip", "AVL"): an element with a class and texts or elements in it.
export function el(tag, className, ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  for (const child of children) if (child !== null && child !== undefined) element.append(child);
  return element;
}

export function cut(text, longest = LONGEST) {
  const whole = String(text ?? "");
  if (whole.length <= longest) return whole;
  return whole.slice(0, longest).replace(/[\uD800-\uDBFF]$/u, "") + "…";
}

// A text from outside.
export function foreign(className, text, longest) {
  const element = el("bdi", className);
  element.textContent = cut(text, longest);
  return element;
}

export const byId = id => document.getElementById(id);

// Sets what is another text only: an unchanged one costs no layout, and is not read out again.
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// ---- times, all in milliseconds; the clock is the server's ----

let ahead = 0; // of the server's clock before performance.now()

export const now = () => performance.now() + ahead;
ahead = Date.now() - performance.now();

export function setServerTime(text) {
  const told = Date.parse(text);
  if (!Number.isNaN(told)) ahead = told - performance.now();
}

// A time of an item as a number; null stays null.
export function timeOf(text) {
  const time = text ? Date.parse(text) : NaN;
  return Number.isNaN(time) ? null : time;
}

const two = n => String(n).padStart(2, "0");

export function clockText(time) {
  const date = new Date(time);
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

// 0:42, 12:04, 1h04, 2d 3h
export function ageText(ms) {
  const s = Math.max(0, Math.floor(ms / 1000));
  if (s < 3600) return `${Math.floor(s / 60)}:${two(s % 60)}`;
  if (s < 86400) return `${Math.floor(s / 3600)}h${two(Math.floor(s / 60) % 60)}`;
  return `${Math.floor(s / 86400)}d ${Math.floor(s / 3600) % 24}h`;
}

// ---- what this browser keeps ----

const kept = new Map(); // what it did not want to keep: private window, full

export function recall(name, otherwise) {
  if (kept.has(name)) return kept.get(name);
  try {
    return JSON.parse(localStorage.getItem(`board.${name}`)) ?? otherwise;
  } catch {
    return otherwise;
  }
}

export function keep(name, value) {
  try {
    localStorage.setItem(`board.${name}`, JSON.stringify(value));
    kept.delete(name);
  } catch {
    kept.set(name, value);
  }
}
