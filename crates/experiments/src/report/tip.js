"use strict";
const tip = document.getElementById("tip");
const place = (x, y) => {
  tip.hidden = false;
  const { width, height } = tip.getBoundingClientRect();
  tip.style.left = `${Math.max(6, x + 16 + width > innerWidth ? x - 16 - width : x + 16)}px`;
  tip.style.top = `${Math.max(6, Math.min(y + 12, innerHeight - height - 6))}px`;
};
const hide = () => { tip.hidden = true; };

for (const word of document.querySelectorAll("[data-tip]")) {
  // The browser's own tooltip serves where this script does not run.
  word.removeAttribute("title");
  word.setAttribute("aria-label", `${word.textContent}: ${word.dataset.tip}`);
  const show = (x, y) => { tip.textContent = word.dataset.tip; place(x, y); };
  word.addEventListener("pointermove", (event) => show(event.clientX, event.clientY));
  word.addEventListener("focus", () => { const box = word.getBoundingClientRect(); show(box.right, box.top); });
  word.addEventListener("pointerleave", hide);
  word.addEventListener("blur", hide);
}
