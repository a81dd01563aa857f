"use strict";
(() => {
  const told = JSON.parse(document.getElementById("figures").textContent);
  const T = 0, M = 1, U = 2, F = 3, CALLS = 4, ERRORS = 5, UNPRICED = 6, INPUT = 7, CACHED = 8, OUTPUT = 9,
    TIMED = 10, MS = 11, COST = 12, SPREAD = 13, ELSEWHERE = 14, MARKS = 15;
  const LACKING = 0, FAILED = 1, LATER = 2, ROLLED = 3, ABROAD = 4;  // of marks; from there on one for each further currency
  const PLACES = 18;  // of a ledger's money; sums are whole numbers of its last place, so that no digit is lost
  const by = (id) => document.getElementById(id);
  const exact = (text) => {
    const [whole, part = ""] = text.replace("-", "").split(".");
    const units = BigInt(whole + part.padEnd(PLACES, "0"));
    return text.startsWith("-") ? -units : units;
  };
  const cells = told.cells.map((cell) => { const own = cell.slice(); own[COST] = exact(cell[COST]); return own; });

  const plain = (units) => {
    const digits = (units < 0n ? -units : units).toString().padStart(PLACES + 1, "0");
    const part = digits.slice(-PLACES).replace(/0+$/, "");
    return (units < 0n ? "-" : "") + digits.slice(0, -PLACES) + (part ? "." + part : "");
  };
  const figure = (units) => Number(plain(units));  // for charts alone
  const millionth = 10n ** BigInt(PLACES - 6);
  const rounded = (units) => {  // to six digits, halves to the even one, as reports show money; less than one is shown whole
    const rest = units % millionth, below = units - rest;
    if (units < millionth || !rest) return units;
    return rest * 2n > millionth || (rest * 2n === millionth && (below / millionth) % 2n) ? below + millionth : below;
  };
  const money = (units) => {
    const [whole, part = ""] = plain(rounded(units)).split(".");
    const shown = whole.replace(/\B(?=(\d{3})+$)/g, ",") + "." + part.padEnd(6, "0");
    return told.currency === "USD" ? "$" + shown : shown + " " + told.currency;
  };
  const known = (own) => !own.calls || own.calls > own.unpriced + own.elsewhere;  // whether some call has a cost in our currency
  const cost = (own) => known(own) ? money(own.cost) : own.elsewhere ? `in ${told.others.join(", ")}` : "unknown";  // never 0
  const count = (value) => value.toLocaleString("en-US");
  const percent = (part, whole) => whole ? (100 * part / whole).toFixed(1) + "%" : "-";
  const tenths = (parts, whole) => {  // of a percent, so that they add up as those of a report do
    const exact = parts.map((part) => whole ? 1000 * part / whole : 0), found = exact.map(Math.floor);
    const lost = exact.map((_, n) => n).sort((a, b) => (found[a] - exact[a]) - (found[b] - exact[b]));
    const over = Math.round(exact.reduce((all, each) => all + each, 0)) - found.reduce((all, each) => all + each, 0);
    lost.slice(0, over).forEach((n) => found[n] += 1);
    return found;
  };
  const seconds = (ms) => ms === null || ms === undefined ? "-" : (ms / 1000).toFixed(2) + " s";

  function chosen(ignored) {  // by all filters, or all but that one
    const asked = (id) => by(id).value === "" ? null : Number(by(id).value);
    const from = asked("from") ?? 0, to = asked("to") ?? told.times.length - 1;
    const [model, user, feature] = ["model", "user", "feature"].map((id) => id === ignored ? null : asked(id));
    return cells.filter((cell) => cell[T] >= from && cell[T] <= to && (model === null || cell[M] === model)
      && (user === null || cell[U] === user) && (feature === null || cell[F] === feature));
  }
  function grouped(rows, place) {
    const found = new Map();
    for (const row of rows) {
      const own = found.get(row[place]) ?? { calls: 0, errors: 0, unpriced: 0, elsewhere: 0, cost: 0n };
      own.calls += row[CALLS]; own.errors += row[ERRORS]; own.unpriced += row[UNPRICED]; own.cost += row[COST];
      own.elsewhere += row[ELSEWHERE] ?? 0;
      found.set(row[place], own);
    }
    return [...found].sort((a, b) => (b[1].cost > a[1].cost ? 1 : b[1].cost < a[1].cost ? -1 : b[1].calls - a[1].calls));
  }
  const sum = (rows, place) => rows.reduce((whole, row) => whole + row[place], 0);
  const mark = (row, place) => row[MARKS]?.[place] ?? 0;
  const marked = (rows, place) => rows.reduce((whole, row) => whole + mark(row, place), 0);

  function element(name, text, kind) {
    const made = document.createElement(name);
    made.textContent = text;
    if (kind) made.className = kind;
    return made;
  }
  function table(id, caption, headings, rows, texts) {
    const made = document.createElement("table");
    made.append(element("caption", caption));
    const line = (values, cell) => {
      const row = document.createElement("tr");
      values.forEach((value, n) => {
        const own = element(cell, value, texts.includes(n) ? "text" : "");
        if (cell === "th") own.scope = "col";
        row.append(own);
      });
      return row;
    };
    const head = document.createElement("thead"), body = document.createElement("tbody");
    head.append(line(headings, "th"));
    body.append(...rows.map((row) => line(row, "td")));
    made.append(head, body);
    by(id).replaceChildren(made);
  }
  function chart(id, data, words, lack, ticks) {  // lack says why there is nothing to draw, where it is so
    const style = getComputedStyle(document.documentElement);
    const layout = structuredClone(told.layouts[id]);
    const text = style.getPropertyValue("--text").trim(), line = style.getPropertyValue("--line").trim();
    layout.font.color = text;
    for (const axis of ["xaxis", "yaxis"]) layout[axis] = { ...layout[axis], gridcolor: line, zerolinecolor: line };
    Object.assign(layout.yaxis, ticks);
    if (lack) Object.assign(layout, structuredClone(told.bare)), layout.annotations[0].text = lack;
    Plotly.react(id, lack ? [] : data, layout, { displayModeBar: false, responsive: true });
    by(id).setAttribute("role", "img");
    by(id).setAttribute("aria-label", words);
  }
  function overTime(rows, parts) {
    const first = by("from").value === "" ? 0 : Number(by("from").value);
    const last = by("to").value === "" ? told.times.length - 1 : Number(by("to").value);
    const labels = told.times.slice(first, last + 1);
    return parts.map(([name, of, kind]) => {
      const values = labels.map(() => kind === "money" ? 0n : 0);
      for (const row of rows) {
        const part = of(row);
        if (part) values[row[T] - first] += part;
      }
      return { type: "bar", name, x: labels, y: kind === "money" ? values.map(figure) : values };
    });
  }
  const literal = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;");  // plotly takes tags for bold and links
  const short = (text) => {  // beside a bar; whole where one points at it
    const signs = [...text], half = told.longest / 2;
    return signs.length > told.longest ? signs.slice(0, half - 1).join("") + "\u2026" + signs.slice(-half).join("") : text;
  };
  const lying = (id, all, names, words, lack) => {
    const groups = all.filter(([, own]) => known(own)).slice(0, 15);  // a bar of 0 would be a price
    const whole = groups.map(([key]) => literal(names[key]));
    chart(id, [{
      type: "bar", orientation: "h", marker: { color: told.colours[0] },
      y: whole, x: groups.map(([, own]) => figure(own.cost)), customdata: whole, ...told.named,
    }], words, lack, { tickmode: "array", tickvals: whole, ticktext: groups.map(([key]) => literal(short(names[key]))) });
  };

  function tiles(rows) {
    const calls = sum(rows, CALLS), errors = sum(rows, ERRORS), unpriced = sum(rows, UNPRICED), timed = sum(rows, TIMED);
    const elsewhere = rows.reduce((whole, row) => whole + (row[ELSEWHERE] ?? 0), 0);
    const whole = { calls, errors, unpriced, elsewhere, cost: rows.reduce((all, row) => all + row[COST], 0n) };
    const some = sum(rows, INPUT) + sum(rows, OUTPUT);  // none told of is no count
    const tokens = (place) => some || !calls ? count(sum(rows, place)) : "-";
    const shown = [
      ["Total cost", cost(whole)], ["Calls", count(calls)], ["Success rate", percent(calls - errors, calls)],
      ["Average latency", seconds(timed ? sum(rows, MS) / timed : null)],
      ["Input tokens", tokens(INPUT)], ["Output tokens", tokens(OUTPUT)],
      ["Calls of unknown cost", count(unpriced)],
    ];
    by("tiles").replaceChildren(...shown.map(([name, value]) => {
      const tile = document.createElement("div");
      tile.append(element("dt", name), element("dd", value));
      return tile;
    }));
    by("note").textContent = [...lacks(rows, unpriced), ...times(rows, timed ? calls - timed : 0)].join(" ");
    return whole;
  }
  const calls = (number) => `${count(number)} ${number === 1 ? "call" : "calls"}`;
  function named(rows, place, all) {  // the models of what is marked so, most calls first
    if (rows.length === cells.length && all.length) return all;  // those too that stand among all others
    const found = new Map();
    for (const row of rows) {
      const [marks, failed] = found.get(row[M]) ?? [0, 0];
      if (mark(row, place)) found.set(row[M], [marks + mark(row, place), failed + (place === LACKING ? mark(row, FAILED) : 0)]);
    }
    return [...found].sort((a, b) => b[1][0] - a[1][0]).map(([model, [, failed]]) => (model === told.rest ? folded(place) : told.models[model]) + (failed ? `, ${count(failed)} failed` : ""));
  }
  function folded(place) {  // which models these may be, that stand among all others: what is unknown has a name
    const names = told.folded[place === LATER ? 1 : 0], shown = names.slice(0, 5).concat(names.length > 5 ? ["\u2026"] : []);
    return names.length > 1 ? `some of ${shown.join(", ")}` : names[0] ?? told.models[told.rest];
  }
  function lacks(rows, unpriced) {  // what is not in the costs of these calls
    const parts = [], lacking = marked(rows, LACKING), others = told.others.filter((_, n) => marked(rows, ABROAD + n));
    const how = unpriced ? ["", "is not, or not wholly, known"] : ["what is not known of ", "is known in part"];
    if (lacking) parts.push(`${how[0]}${calls(lacking)} whose cost ${how[1]} (${named(rows, LACKING, told.unpriced).join("; ")})`);
    if (others.length) parts.push(`amounts in ${others.join(", ")}`);
    const notes = parts.length ? [`Costs are without ${parts.join(" and without ")}.`] : [];
    if (marked(rows, LATER)) notes.push(`Calls that are older than the first known price have that one (${named(rows, LATER, told.extrapolated).join(", ")}).`);
    return notes;
  }
  function times(rows, untimed) {  // of which calls no time is known, or no time of their own
    const notes = [], rolled = marked(rows, ROLLED);
    if (untimed && !rolled) notes.push(`Of latencies ${count(untimed)} ${untimed === 1 ? "call has" : "calls have"} none.`);
    if (rolled) notes.push(`${calls(rolled)} ${rolled === 1 ? "is" : "are"} kept as daily totals: no percentiles, and they are in no distribution of latencies${told.parted ? `; ${told.parted}` : ""}.`);
    const hidden = told.gone ? marked(chosen("feature"), ROLLED) - rolled : 0;
    if (hidden) notes.push(`${calls(hidden)} ${hidden === 1 ? "is" : "are"} kept as daily totals: nobody knows the ${told.gone} of them, and none of them is here.`);
    return [...notes, ...told.unknown.map((each) => `${each}.`)];
  }
  function draw() {
    const rows = chosen(), whole = tiles(rows), models = grouped(rows, M);
    const none = whole.calls ? "" : "no calls", costless = none || (known(whole) ? "" : `the cost is ${cost(whole)}`);
    const dearest = models.slice(0, told.colours.length - 1).map(([key]) => key);
    const parts = dearest.map((key) => [literal(short(told.models[key])), (row) => row[M] === key ? row[COST] : 0n, "money"]);
    if (models.length > dearest.length) parts.push(["all others", (row) => dearest.includes(row[M]) ? 0n : row[COST], "money"]);
    chart("daily", overTime(rows, parts), `Cost over time by model; together ${cost(whole)}`, costless);
    lying("models", models, told.models, `Cost by model, the dearest is ${models.length ? told.models[models[0][0]] : "none"}`, costless);
    const spread = told.bounds.map(() => 0);
    for (const row of rows) for (let n = 0; n < row[SPREAD].length; n += 2) spread[row[SPREAD][n]] += row[SPREAD][n + 1];
    const filled = spread.flatMap((calls, n) => calls ? [n] : []);
    const [low, high] = filled.length ? [filled[0], filled[filled.length - 1] + 1] : [0, 0];
    chart("latency", [{ type: "bar", marker: { color: told.colours[0] }, x: told.bounds.slice(low, high), y: spread.slice(low, high) }], "Calls by latency, each bar up to the time below it and above that of the bar before", filled.length ? "" : none || "no latency is known");
    chart("success", overTime(rows, [["worked", (row) => row[CALLS] - row[ERRORS]], ["errors", (row) => row[ERRORS]]])
      .map((bar, n) => ({ ...bar, marker: { color: told.colours[n ? 5 : 0] } })), `${count(whole.calls - whole.errors)} calls worked, ${count(whole.errors)} failed`, none);
    chart("tokens", overTime(rows, [["input", (row) => row[INPUT] - row[CACHED]], ["from cache", (row) => row[CACHED]], ["output", (row) => row[OUTPUT]]]), "Tokens over time", none);
    const users = grouped(rows, U), features = grouped(rows, F);
    lying("users", users, told.users, "Cost by user", costless);
    lying("features", features, told.features, "Cost by feature", costless);
    const shared = tenths(models.map(([, own]) => known(own) ? figure(own.cost) : 0), figure(whole.cost));
    table("by-model", "Cost by model, of the calls chosen above", ["Model", "Calls", "Errors", "Of unknown cost", "Cost", "Share"],
      models.map(([key, own], n) => [told.models[key], count(own.calls), count(own.errors), count(own.unpriced), cost(own), known(own) && figure(whole.cost) ? (shared[n] / 10).toFixed(1) + "%" : "-"]), [0]);
  }
  function fixed() {
    const apart = told.rolled ? `; of those that are kept as daily totals, ${calls(told.rolled)}, none is here` : "";
    const totals = told.rolled ? "; no percentiles where calls are kept as daily totals" : "";
    table("percentiles", `Latencies by model, of the whole period${totals}`, ["Model", "Calls", "p50", "p90", "p95", "p99", "Slowest", "First token p50", "Tokens a second"],
      told.percentiles, [0]);
    table("by-agent", "Cost by agent and action, of the whole period", ["Agent", "Action", "Calls", "Errors", "Cost"], told.agents, [0, 1]);
    table("dearest", `The dearest calls of the whole period${apart}`, ["At", "Model", "User", "Feature", "Input", "Output", "Latency", "Cost", "Status", "Id"], told.dearest, [0, 1, 2, 3, 8, 9]);
    by("about").textContent = told.about;
  }
  function options(id, names, all) {
    by(id).replaceChildren(new Option(all, ""), ...names.map((name, n) => new Option(name, String(n))));
  }
  const kinds = { from: "times", to: "times", model: "models", user: "users", feature: "features" };
  function remember() {
    const said = new URLSearchParams();
    for (const [id, names] of Object.entries(kinds)) if (by(id).value !== "") said.set(id, told[names][Number(by(id).value)]);
    history.replaceState(null, "", said.size ? "#" + said : location.pathname + location.search);
  }
  function recall() {
    const said = new URLSearchParams(location.hash.slice(1));
    for (const [id, names] of Object.entries(kinds)) {
      const place = said.has(id) ? told[names].indexOf(said.get(id)) : -1;
      by(id).value = place < 0 ? "" : String(place);
    }
  }
  options("from", told.times, "the first"); options("to", told.times, "the last");
  options("model", told.models, "all"); options("user", told.users, "all"); options("feature", told.features, "all");
  recall(); fixed(); draw();
  by("filters").addEventListener("change", () => { remember(); draw(); });
  by("filters").addEventListener("reset", () => setTimeout(() => { remember(); draw(); }));
  window.addEventListener("hashchange", () => { recall(); draw(); });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  by("theme").addEventListener("click", () => {
    const root = document.documentElement;
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    draw();
  });
})();
