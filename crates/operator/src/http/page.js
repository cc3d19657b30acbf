"use strict";
// Shows /status.json. Everything it holds may come from a stranger's contract (symbols) or a node (messages), so text
// enters the page by textContent alone, never as markup.

const EVERY = 2000;
const PATIENCE = 8000;
const byId = (id) => document.getElementById(id);
const SVG = "http://www.w3.org/2000/svg";

// ---- words and figures ----

const plain = new Intl.NumberFormat("en", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const fine = new Intl.NumberFormat("en", { maximumSignificantDigits: 4 });
const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const compact = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 });
const NOTHING = "–";

const given = (value) => value !== null && value !== undefined;
const number = (value) => {
  if (!given(value)) return NOTHING;
  const size = Math.abs(value);
  if (size >= 1e15) return value.toExponential(3);
  return (size >= 100000 || size === 0 ? whole : size >= 1 ? plain : fine).format(value);
};
const percent = (value, digits = 2) => (given(value) ? `${(value * 100).toFixed(digits)}%` : NOTHING);
// A contract may call itself anything at any length; the whole text is one hover away.
const MOST = 16;
const brief = (text) => {
  const letters = Array.from(text);
  return letters.length > MOST ? `${letters.slice(0, MOST - 1).join("")}…` : text;
};

// Without zeros at the end: 5%, 7.5%.
const plainPercent = (value) => (given(value) ? `${Number((value * 100).toFixed(2))}%` : NOTHING);

// In the largest unit that keeps it exact enough: 12 s, 3 min, 5 h, 2 d.
const span = (seconds) => {
  const s = Math.max(0, Math.round(seconds));
  if (s < 120) return `${s} s`;
  if (s < 7200) return `${Math.round(s / 60)} min`;
  if (s < 172800) return `${Math.round(s / 3600)} h`;
  return `${whole.format(Math.round(s / 86400))} d`;
};
const ago = (time, now) => (given(time) ? `${span(now - time)} ago` : NOTHING);
const ahead = (time, now) => (!given(time) ? NOTHING : time <= now ? "now" : `in ${span(time - now)}`);
const moment = (time) => {
  const date = new Date(time * 1000);
  return Number.isNaN(date.getTime()) ? String(time) : date.toISOString().slice(0, 19).replace("T", " ");
};

// ---- elements ----

const element = (tag, className, text) => {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (given(text)) node.textContent = text;
  return node;
};
const setText = (node, text) => { if (node.textContent !== text) node.textContent = text; };
const setClass = (node, name) => { if (node.className !== name) node.className = name; };

// A hash or address: shortened in the middle for the eye, whole when copied.
const hash = (value) => ({ hash: String(value) });
const hashNode = (value) => {
  const node = element("span", "hash");
  node.title = value;
  node.append(element("span", "", value.slice(0, -4)), element("span", "", value.slice(-4)));
  return node;
};

const label = (text) => ({ text: brief(text), title: text });

// Fills a table whose columns are [title, class]; a cell is text, {hash}, {meter} or {text, tone, title}. Cells that did not
// change stay untouched, so that a selection or a screen reader's place survives a refresh.
const fill = (table, caption, columns, rows, empty) => {
  if (!table.tHead) {
    table.append(element("caption", "", caption), element("thead"), element("tbody"));
    const head = element("tr");
    for (const [title, kind] of columns) {
      const cell = element("th", kind.includes("number") ? "number" : "", title);
      cell.scope = "col";
      head.append(cell);
    }
    table.tHead.append(head);
  }
  setText(table.caption, caption);
  const body = table.tBodies[0];
  if (rows.length === 0) {
    if (body.dataset.empty !== empty) {
      const cell = element("td", "none", empty);
      cell.colSpan = columns.length;
      const row = element("tr");
      row.append(cell);
      body.replaceChildren(row);
      body.dataset.empty = empty;
    }
    return;
  }
  if (given(body.dataset.empty)) {
    body.replaceChildren();
    delete body.dataset.empty;
  }
  while (body.rows.length > rows.length) body.deleteRow(-1);
  rows.forEach((cells, at) => {
    let row = body.rows[at];
    if (!row) {
      row = body.insertRow();
      columns.forEach(([, kind], column) => {
        const cell = element(column === 0 ? "th" : "td", kind);
        if (column === 0) cell.scope = "row";
        row.append(cell);
      });
    }
    cells.forEach((cell, column) => {
      const node = row.cells[column];
      const key = JSON.stringify(cell);
      if (node.dataset.key === key) return;
      node.dataset.key = key;
      const kind = columns[column][1];
      const isObject = given(cell) && typeof cell === "object";
      if (isObject && cell.title && cell.title !== cell.text) node.title = cell.title;
      else node.removeAttribute("title");
      setClass(node, isObject && cell.tone ? `${kind} ${cell.tone}` : kind);
      if (isObject && given(cell.hash)) node.replaceChildren(hashNode(cell.hash));
      else if (isObject && given(cell.meter)) {
        const meter = element("meter");
        meter.max = 1;
        meter.low = cell.low;
        meter.optimum = 1;
        meter.value = cell.meter;
        meter.setAttribute("aria-label", cell.text);
        node.replaceChildren(meter, ` ${cell.text}`);
      } else node.textContent = isObject ? cell.text : given(cell) ? cell : NOTHING;
    });
  });
};

const notices = (list, texts) => {
  const key = JSON.stringify(texts);
  if (list.dataset.key === key) return;
  list.dataset.key = key;
  list.replaceChildren(...texts.map((text) => element("li", "", text)));
};

// ---- sections ----

const TONES = { healthy: "good", damped: "caution", hard: "bad", insolvent: "bad" };
const LEVELS = { normal: "good", stressed: "caution", paused: "bad", halted: "bad" };

const overview = (served, chainNow) => {
  const { status, now } = served;
  const { head, breaker, profit, sender, mirror, zones } = status;
  const unit = brief(status.keeper.debt_symbol);
  const zone = (name) => zones[name] || { positions: 0, debt: 0 };
  const below = ["damped", "hard", "insolvent"].map(zone);
  const total = (key) => below.reduce((sum, entry) => sum + (entry[key] || 0), 0);
  const tiles = [
    ["Head", head ? whole.format(head.number) : NOTHING,
      head ? `seen ${ago(head.received_at, now)}${status.synced ? "" : "; mirror behind"}` : "no block yet", ""],
    ["Breaker", breaker.level, given(breaker.until) ? `until ${moment(breaker.until)} (${ahead(breaker.until, chainNow)})` : "",
      LEVELS[breaker.level] || ""],
    [`Net profit, ${unit}`, number(profit.net), `${whole.format(profit.succeeded)} won, ${whole.format(profit.reverted)} reverted`,
      profit.net < 0 ? "bad" : ""],
    [`Liquidatable now, ${unit}`, number(total("debt")),
      `of ${number(status.debt_total)}; ${whole.format(total("positions"))} of ${whole.format(status.positions_total)} positions`, ""],
    ["Pending bids", whole.format(status.pending.length),
      head ? `base fee ${number(head.base_fee / 1e9)} gwei` : "", ""],
    ["Account, native tokens", sender ? number(sender.balance) : "none",
      sender ? (sender.unlocked ? `unlocked, nonce ${sender.nonce}` : "locked") : status.keeper.dry_run ? "dry run" : "",
      sender && !sender.unlocked ? "bad" : ""],
    ["Mirror drift, wei", number(Number(mirror.drift)),
      given(mirror.last_audit) ? `${whole.format(mirror.audited)} accounts audited, last ${ago(mirror.last_audit, now)}` : "not audited yet",
      Number(mirror.drift) === 0 ? "" : "bad"],
  ];
  const { backstop } = status;
  if (given(backstop)) {
    tiles.push([`Backstop, ${unit}`, number(backstop.absorbable),
      `inventory worth ${number(backstop.inventory)}; ${number(backstop.spendable)} to buy of it with`, ""]);
  }
  const list = byId("overview");
  tiles.forEach(([title, figure, more, tone], at) => {
    let tile = list.children[at];
    if (!tile) {
      tile = element("div");
      tile.append(element("dt"), element("dd"), element("dd"));
      list.append(tile);
    }
    setText(tile.children[0], title);
    setClass(tile.children[1], `figure ${tone}`);
    setText(tile.children[1], figure);
    setClass(tile.children[2], "more");
    setText(tile.children[2], more);
  });
};

const market = (status) => {
  const unit = brief(status.keeper.debt_symbol);
  const rows = status.collaterals.map((entry) => {
    const bucket = entry.bucket;
    const full = bucket && bucket.cap > 0 ? bucket.level / bucket.cap : 0;
    return [
      label(entry.symbol),
      { text: entry.price_status, tone: { ok: "good", degraded: "caution", down: "bad" }[entry.price_status] },
      number(entry.fast), number(entry.slow), number(entry.venue),
      bucket ? { meter: full, low: bucket.reserve, text: percent(full, 0) } : NOTHING,
      bucket ? `${number(bucket.level)} of ${number(bucket.cap)}` : NOTHING,
      bucket ? number(bucket.refill_per_minute) : NOTHING,
      number(entry.venue_depth),
    ];
  });
  fill(byId("market"), `Prices and amounts in ${unit}`, [
    ["Collateral", "label"], ["Price", "short"], ["Fast", "number"], ["Slow", "number"], ["Venue", "number"],
    ["Bucket", "short"], ["Level", "number"], ["Refill/min", "number"], ["Venue depth 2%", "number"],
  ], rows, "No collateral is known yet.");
};

const positions = (status, chainNow) => {
  const rows = status.positions.map((entry) => [
    hash(entry.account),
    { text: entry.zone, tone: TONES[entry.zone] },
    given(entry.health) ? entry.health.toFixed(4) : NOTHING,
    percent(entry.distance),
    number(entry.liquidation_price),
    { text: `${number(entry.amount)} ${brief(entry.collateral)}`, title: entry.collateral },
    number(entry.debt),
    percent(entry.bonus),
    ago(entry.flagged_since, chainNow),
    given(entry.next_turn) && entry.next_turn <= chainNow ? "open" : ahead(entry.next_turn, chainNow),
    ahead(entry.planned_at, chainNow),
    number(entry.expected_profit),
    entry.why_not || NOTHING,
  ]);
  fill(byId("positions"), `Debt, prices and profit in ${brief(status.keeper.debt_symbol)}`, [
    ["Account", "short"], ["Zone", "short"], ["Health", "number"], ["Distance", "number"], ["Falls at", "number"],
    ["Collateral", "number"], ["Debt", "number"], ["Bonus", "number"], ["Flagged", "short"],
    ["Next turn", "short"], ["Bid", "short"], ["Expected", "number"], ["Why it waits", "long"],
  ], rows, "No position with debt is known.");
  setText(byId("positions-note"), status.positions.length < status.positions_total
    ? `${whole.format(status.positions.length)} of ${whole.format(status.positions_total)} are shown.` : "");
};

const bids = (served) => {
  const { status, now } = served;
  fill(byId("pending"), "Fees in gwei per gas", [
    ["Order", "short"], ["Action", "short"], ["Account", "short"], ["State", "short"], ["Nonce", "number"], ["Most", "number"], ["Tip", "number"],
    ["Since", "short"], ["Transaction", "short"],
  ], status.pending.map((bid) => [
    hash(bid.order), bid.action, hash(bid.account), bid.state, given(bid.nonce) ? String(bid.nonce) : NOTHING, number(bid.max_fee_gwei),
    number(bid.tip_gwei), ago(bid.since, now), given(bid.transaction) ? hash(bid.transaction) : NOTHING,
  ]), "Nothing is pending.");
  const { gross, gas, net, succeeded, reverted } = status.profit;
  fill(byId("profit"), `In ${brief(status.keeper.debt_symbol)}, final transactions only`, [
    ["Gross", "number"], ["Gas", "number"], ["Net", "number"], ["Succeeded", "number"], ["Reverted", "number"],
  ], [[number(gross), number(gas), { text: number(net), tone: net < 0 ? "bad" : "good" }, whole.format(succeeded), whole.format(reverted)]], "");
};

const missed = (status) => {
  const parts = Object.entries(status.missed_total).filter(([, total]) => total > 0)
    .map(([reason, total]) => `${whole.format(total)} ${reason}`);
  setText(byId("missed-note"), parts.length ? `In all: ${parts.join(", ")}.` : "");
  fill(byId("missed"), `Repaid in ${brief(status.keeper.debt_symbol)}`, [
    ["Account", "short"], ["Block", "number"], ["Time (UTC)", "short"], ["Liquidator", "short"], ["Repaid", "number"],
    ["Seized", "number"], ["Collateral", "label"], ["Bonus", "number"], ["Reason", "short"], ["Detail", "long"], ["Transaction", "short"],
  ], status.missed.map((row) => [
    hash(row.account), String(row.block), moment(row.timestamp), hash(row.liquidator), number(row.repaid), number(row.seized),
    label(row.collateral), percent(row.bonus), row.reason, row.detail || NOTHING, hash(row.transaction),
  ]), "None was missed.");
};

const operation = (served) => {
  const { status, now } = served;
  fill(byId("nodes"), "Nodes", [
    ["Node", "long"], ["State", "short"], ["Requests", "number"], ["Failed", "number"], ["Latency", "number"],
  ], status.rpc.map((node) => [
    node.name, node.healthy ? { text: "in use", tone: "good" } : { text: "not used", tone: "bad" }, whole.format(node.requests),
    whole.format(node.failures), given(node.latency) ? `${number(node.latency * 1000)} ms` : NOTHING,
  ]), "No node has been asked yet.");
  fill(byId("tasks"), "Tasks", [["Task", "label"], ["State", "short"], ["Last progress", "short"]],
    status.tasks.map((task) => [
      label(task.name), task.alive ? { text: "running", tone: "good" } : { text: "ended", tone: "bad" }, ago(task.last_progress, now),
    ]), "No task has started yet.");
  const mirror = status.mirror;
  setText(byId("mirror"), `Mirror: ${whole.format(mirror.accounts)} accounts; ${whole.format(mirror.reorgs)} reorganisations followed, the deepest of ${whole.format(mirror.deepest_reorg)} blocks.`);
};

// ---- chart ----

const shape = (tag, attributes, text) => {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  if (given(text)) node.textContent = text;
  return node;
};

// The least of 1, 2, 2.5, 5 times a power of ten that is not below `value`.
const ceiling = (value) => {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 2.5, 5, 10].map((step) => step * power).find((step) => step >= value);
};

const draw = (svg, steps, depth, unit) => {
  const width = Math.max(260, svg.getBoundingClientRect().width);
  const height = 230;
  const left = 52;
  const bottom = 44;
  const top = 16;
  const right = 8;
  const most = Math.max(...steps.map((step) => step.debt || 0), 0);
  const showDepth = given(depth) && depth > 0 && depth <= 2 * most;
  const scale = ceiling(showDepth ? Math.max(most, depth) : most);
  const y = (value) => height - bottom - (value / scale) * (height - bottom - top);
  const slot = (width - left - right) / steps.length;
  const parts = [];
  for (let part = 0; part <= 4; part += 1) {
    const value = (scale * part) / 4;
    parts.push(shape("line", { class: "grid", x1: left, x2: width - right, y1: y(value), y2: y(value) }));
    parts.push(shape("text", { x: left - 6, y: y(value) + 4, "text-anchor": "end" }, compact.format(value)));
  }
  const every = Math.ceil(62 / slot);
  steps.forEach((step, at) => {
    const x = left + at * slot;
    const bar = shape("rect", {
      class: "bar", x: x + slot * 0.1, width: slot * 0.8, y: y(step.debt || 0), height: Math.max(0, y(0) - y(step.debt || 0)),
    });
    bar.append(shape("title", {}, `to ${number(step.price)} (−${plainPercent(step.drop)}): ${number(step.debt)} ${unit}, ${whole.format(step.positions)} positions`));
    parts.push(bar);
    if (at % every === every - 1 || steps.length === 1) {
      parts.push(shape("text", { x: x + slot / 2, y: height - bottom + 16, "text-anchor": "middle" }, fine.format(step.price)));
      parts.push(shape("text", { x: x + slot / 2, y: height - bottom + 31, "text-anchor": "middle" }, `−${plainPercent(step.drop)}`));
    }
  });
  if (showDepth) {
    parts.push(shape("line", { class: "depth", x1: left, x2: width - right, y1: y(depth), y2: y(depth) }));
    parts.push(shape("text", { class: "depth-label", x: width - right, y: y(depth) - 4, "text-anchor": "end" }, "venue depth 2%"));
  }
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.replaceChildren(...parts);
};

let charts = [];
const falls = (status) => {
  const unit = brief(status.keeper.debt_symbol);
  const wanted = status.collaterals
    .map((entry) => ({ entry, steps: status.falls.filter((step) => step.collateral_id === entry.id) }))
    .filter(({ steps }) => steps.length > 0);
  const box = byId("falls");
  const ids = JSON.stringify(wanted.map(({ entry }) => entry.id));
  if (box.dataset.ids !== ids) {
    box.dataset.ids = ids;
    charts = wanted.map(() => {
      const figure = element("figure", "chart");
      const title = element("h3");
      const svg = shape("svg", { role: "img" });
      const details = element("details");
      const table = element("table");
      const scroll = element("div", "scroll");
      scroll.append(table);
      details.append(element("summary", "", "Table"), scroll);
      figure.append(title, svg, details);
      return { figure, title, svg, table, key: "" };
    });
    box.replaceChildren(...(charts.length ? charts.map((chart) => chart.figure) : [element("p", "none", "No position with debt is known.")]));
  }
  wanted.forEach(({ entry, steps }, at) => {
    const chart = charts[at];
    const total = steps.reduce((sum, step) => sum + (step.debt || 0), 0);
    const last = steps[steps.length - 1];
    const key = JSON.stringify([steps, entry.symbol, entry.fast, entry.venue_depth, chart.svg.getBoundingClientRect().width]);
    if (chart.key === key) return;
    chart.key = key;
    chart.title.title = entry.symbol;
    setText(chart.title, `${brief(entry.symbol)} at ${number(entry.fast)} ${unit}`);
    chart.svg.setAttribute("aria-label", `${number(total)} ${unit} of debt fall if ${brief(entry.symbol)} drops ${percent(last.drop, 0)} to ${number(last.price)}`);
    draw(chart.svg, steps, entry.venue_depth, unit);
    let sum = 0;
    fill(chart.table, `Amounts in ${unit}`, [["Drop", "short"], ["Price", "number"], ["Debt", "number"], ["Debt up to here", "number"], ["Positions", "number"]],
      steps.map((step) => {
        sum += step.debt || 0;
        return [plainPercent(step.drop), number(step.price), number(step.debt), number(sum), whole.format(step.positions)];
      }), "");
  });
};

// ---- refreshing ----

let latest = null;
const show = (served) => {
  const { status, now } = served;
  const { keeper, head } = status;
  // The chain's clock: its last block's time and what passed since that block came.
  const chainNow = head ? head.timestamp + Math.max(0, now - head.received_at) : now;
  setText(byId("identity"), `version ${keeper.version} · chain ${keeper.chain_id} · pool ${keeper.pool} · debt in ${keeper.debt_symbol} · up ${span(now - keeper.started_at)}${keeper.dry_run ? " · dry run: plans, never sends" : ""}`);
  const ready = served.not_ready.length === 0;
  setClass(byId("state"), ready ? "state good" : "state bad");
  setText(byId("state"), ready ? "Ready" : "Not ready");
  byId("reasons").hidden = ready;
  notices(byId("reasons"), served.not_ready);
  byId("warnings-section").hidden = status.warnings.length === 0;
  notices(byId("warnings"), status.warnings.map((warning) => `${warning.text} (since ${moment(warning.since)} UTC)`));
  document.title = `${ready ? "" : "Not ready · "}Breakwater keeper`;
  overview(served, chainNow);
  market(status);
  falls(status);
  positions(status, chainNow);
  bids(served);
  missed(status);
  operation(served);
};

let answered = null;
const refresh = async () => {
  try {
    const response = await fetch("/status.json", { cache: "no-store", signal: AbortSignal.timeout(PATIENCE) });
    if (!response.ok) throw new Error(`status ${response.status}`);
    latest = await response.json();
    answered = new Date();
    show(latest);
  } catch (error) {
    const since = answered ? `since ${answered.toLocaleTimeString()}; the figures below are from then` : "yet";
    setClass(byId("state"), "state bad");
    setText(byId("state"), `No answer from the keeper ${since} (${error.message})`);
    document.title = "No answer · Breakwater keeper";
  }
  setTimeout(refresh, document.hidden ? 5 * EVERY : EVERY);
};
new ResizeObserver(() => { if (latest) falls(latest.status); }).observe(byId("falls"));
refresh();
