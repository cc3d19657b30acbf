(() => {
  const number = (value) => {
    if (value === null) return "n/a";
    const size = Math.abs(value);
    const digits = size >= 100 || size === 0 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 4;
    return value.toLocaleString("en-GB", { minimumFractionDigits: 0, maximumFractionDigits: digits });
  };
  const moment = (seconds) => new Date(seconds * 1000).toISOString().slice(0, 19).replace("T", " ");

  for (const figure of document.querySelectorAll("figure.chart")) {
    const svg = figure.querySelector(".plot svg");
    const cursor = figure.querySelector(".cursor");
    const data = JSON.parse(figure.querySelector("script").textContent);
    const span = data.entries > 1 ? data.entries - 1 : 1;
    const middle = (index) => data.places[index] + data.bar / 2;
    let at = -1;
    const show = (index, x, y) => {
      at = index;
      const line = data.left + (data.right - data.left) * Math.min(1, middle(index) / span);
      cursor.setAttribute("x1", line);
      cursor.setAttribute("x2", line);
      cursor.setAttribute("visibility", "visible");
      const from = data.places[index];
      const first = data.first + from;
      const block = data.bar > 1 ? `blocks ${first + 1} to ${data.first + Math.min(from + data.bar, span)}` : `block ${first + (data.bar ? 1 : 0)}`;
      tip.replaceChildren();
      const head = document.createElement("div");
      head.textContent = `${moment(data.start + from * data.step)} UTC, ${block}`;
      const table = document.createElement("table");
      for (const series of data.series) {
        const row = table.insertRow();
        row.insertCell().textContent = series.name;
        row.insertCell().textContent = `${number(series.values[index])} ${data.unit}`;
      }
      tip.append(head, table);
      place(x, y);
    };
    const leave = () => { cursor.setAttribute("visibility", "hidden"); hide(); };
    const nearest = (entry) => {
      let best = 0;
      for (let index = 1; index < data.places.length; index += 1) {
        if (Math.abs(middle(index) - entry) <= Math.abs(middle(best) - entry)) best = index;
      }
      return best;
    };
    svg.addEventListener("pointermove", (event) => {
      if (!data.places.length) return;
      const box = svg.getBoundingClientRect();
      const unit = (event.clientX - box.left) / box.width * data.width;
      show(nearest((unit - data.left) / (data.right - data.left) * span), event.clientX, event.clientY);
    });
    svg.addEventListener("pointerleave", leave);
    svg.addEventListener("blur", leave);
    svg.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1, PageUp: -20, PageDown: 20 }[event.key];
      if (event.key === "Escape") leave();
      if (!step || !data.places.length) return;
      event.preventDefault();
      const next = Math.max(0, Math.min(data.places.length - 1, at + step));
      const box = svg.getBoundingClientRect();
      show(next, box.left + box.width * (data.left + (data.right - data.left) * Math.min(1, middle(next) / span)) / data.width, box.top + 20);
    });
  }
})();
