// The page of a compliance report. Everything it shows stands in the JSON beside it; it asks nothing of a network.
"use strict";
(() => {
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const report = read("report"), words = read("words"), rules = read("rules");
  // Okabe and Ito's colours, told apart by every kind of colour vision; patterns (decals) besides.
  const TONES = { on_time: "#0072b2", late: "#e69f00", partial: "#cc79a7", missing: "#d55e00", excused: "#999999", rate: "#1b2733" };
  const MISSED = ["late", "partial", "missing"];
  const PAGE_SIZES = [25, 100, 0];
  const at = { lang: 0, sort: "rank", down: false, page: 0, size: 25, find: "", region: "" };
  let charts = [];

  const say = (key, values = {}) => words[key][at.lang].replace(/\{(\w+)\}/g, (_, name) => values[name]);
  const node = (tag, props = {}, ...inside) => {
    const made = Object.assign(document.createElement(tag), props);
    made.append(...inside);
    return made;
  };
  const locale = () => (at.lang ? "en-GB" : "zh-CN");
  const count = (value) => Number(value).toLocaleString(locale());
  const share = (rate) => (rate === "" ? say("no_value") : `${(Number(rate) * 100).toFixed(2)}%`);
  const percent = (rate) => (rate === "" ? null : Math.round(Number(rate) * 10000) / 100);
  const span = (minutes) => {
    if (minutes === "") return say("no_value");
    const h = Math.floor(minutes / 60), m = minutes % 60;
    return h ? say("hours", { h: count(h), m: String(m).padStart(2, "0") }) : say("minutes", { m });
  };
  const clock = (minutes) => (minutes === "" ? say("no_value") : `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}`);
  const regionName = (region) => (region === "-" ? say("no_region") : region);
  const nameOf = (row) => {
    if (row.scope === "province") return say("province");
    if (row.scope === "region") return regionName(row.region);
    return (at.lang && row.name_en) || row.name || row.hospital_id;
  };

  function headings() {
    document.documentElement.lang = at.lang ? "en" : "zh-CN";
    document.getElementById("title").textContent = `${nameOf(report)} · ${say("title")}`;
    document.title = `${say("title")} ${report.period} ${nameOf(report)}`;
    const days = report.first_day === report.last_day ? report.first_day : `${report.first_day} – ${report.last_day}`;
    const made = new Date(report.made_at).toLocaleString(locale(), { timeZone: "Asia/Shanghai", hour12: false });
    const parts = [`${report.period} ${say(report.kind)}`, days, `${say("made")} ${made} (UTC+8)`];
    if (report.hospital_id) parts.unshift(report.hospital_id, regionName(report.region));
    document.getElementById("of").textContent = parts.join(" · ");
    document.getElementById("print").textContent = say("print");
    for (const button of document.querySelectorAll("[data-lang]")) {
      button.setAttribute("aria-pressed", String(Number(button.dataset.lang) === at.lang));
    }
    const notes = ["note_due", "note_late", "note_delay", "note_rank", "note_made"];
    if (report.unannounced?.length) notes.unshift("note_unannounced");
    document.getElementById("notes").replaceChildren(...notes.map((key) => node("li", { textContent: say(key) })));
  }

  function cards() {
    const card = (key, value, unit, tone) => {
      const made = node("div", { className: "card" });
      made.append(node("dt", { textContent: say(key) }), node("dd", {}, value, " ", node("small", { textContent: unit })));
      if (tone) made.style.setProperty("--tone", tone);
      return made;
    };
    const counted = ["on_time", ...MISSED, "excused"].map((key) => card(key, count(report[key]), say("exams"), TONES[key]));
    const made = [card("rate", share(report.rate), "", TONES.rate), card("due", count(report.due), say("exams")), ...counted];
    for (const key of ["p50", "p90", "p99"]) made.push(card(key, span(report[`delay_${key}_minutes`]), ""));
    if (report.rank !== "") made.push(card("rank", count(report.rank), say("of", { n: count(report.ranked) })));
    made.push(card("open_flags", count(report.open_flags), say("flags_unit")));
    document.getElementById("cards").replaceChildren(...made);
  }

  // A section with a chart, or with a sentence where there is nothing to draw.
  function section(key, option, emptyKey, height) {
    const made = node("section", { id: `part-${key}` }, node("h2", { textContent: say(key) }));
    document.getElementById("charts").append(made);
    if (!option) return made.append(node("p", { className: "empty", textContent: say(emptyKey) }));
    const place = node("div", { className: "chart" });
    if (height) place.style.height = `${height}px`;
    made.append(place);
    const chart = echarts.init(place, null, { renderer: "svg" });
    const base = {
      animation: false,
      aria: { enabled: true, label: { description: say(key) }, decal: { show: true } },
      // The charts measure their texts before they draw them: "inherit" would be measured as another font.
      textStyle: { fontFamily: getComputedStyle(document.body).fontFamily, color: "#1b2733" },
      legend: { top: 0, type: "plain", itemGap: 14 },
      grid: { left: 8, right: 8, top: place.clientWidth < 480 ? 92 : 64, bottom: 8, containLabel: true },
      tooltip: { trigger: "axis", confine: true },
    };
    chart.setOption({ ...base, ...option });
    charts.push(chart);
  }

  const valueAxis = (key, more = {}) => ({ type: "value", name: say(key), nameTextStyle: { align: "left" }, ...more });
  const rateAxis = (rates, more = {}) => {
    const known = rates.filter((rate) => rate !== null);
    const least = known.length ? Math.max(0, Math.min(90, Math.floor(Math.min(...known) / 10) * 10)) : 0;
    return valueAxis("rate_axis", { min: least, max: 100, nameTextStyle: { align: "right" }, splitLine: { show: false }, ...more });
  };
  const shareTip = (value) => (value === null || value === undefined ? say("no_value") : `${Number(value).toFixed(2)}%`);
  const examsTip = (value) => `${count(value)} ${say("exams")}`;
  const rateLine = (rows) => ({
    name: say("rate"), type: "line", yAxisIndex: 1, symbolSize: 7, color: TONES.rate,
    data: rows.map((row) => percent(row.rate)), tooltip: { valueFormatter: shareTip },
  });
  const stack = (rows, keys) => keys.map((key) => ({
    name: say(key), type: "bar", stack: "exams", color: TONES[key], barMaxWidth: 36,
    data: rows.map((row) => row[key]), tooltip: { valueFormatter: examsTip },
  }));

  function series(rows, keys, axis) {
    return {
      xAxis: { type: "category", data: rows.map((row) => row.period.slice(report.kind === "month" && row.period.length < 8 ? 0 : 5)), axisLabel: { hideOverlap: true } },
      yAxis: [valueAxis(axis, { minInterval: 1 }), rateAxis(rows.map((row) => percent(row.rate)))],
      series: [...stack(rows, keys), rateLine(rows)],
    };
  }

  function trend() {
    const rows = [...report.trend, report];
    section("trend", report.trend.length ? series(rows, MISSED, "missed_axis") : null, "nothing_before");
  }

  function days() {
    if (report.kind === "day") return;
    section("days", report.due ? series(report.days, ["on_time", ...MISSED], "exams_axis") : null, "nothing_due");
  }

  function delays() {
    const edges = [...Array(12).keys(), 12, 18, 24, 48, 72];
    const bins = edges.map(() => 0);
    for (const [minutes, exams] of report.delays) {
      let bin = edges.length - 1;
      // The limit itself is on time: a bin holds what is later than its edge, up to the next.
      while (bin > 0 && minutes <= edges[bin] * 60) bin -= 1;
      bins[bin] += exams;
    }
    const names = edges.map((edge, bin) => (bin + 1 < edges.length ? String(edges[bin + 1]) : `>${edge}`));
    const narrow = document.documentElement.clientWidth < 480; // upright, no two of the labels fit side by side
    const upright = narrow ? { interval: 0, rotate: 90 } : { interval: 0, hideOverlap: true };
    section("delays", report.delays.length ? {
      legend: { show: false },
      grid: { left: 8, right: 16, top: 40, bottom: 28, containLabel: true },
      xAxis: { type: "category", data: names, name: say("delay_axis"), nameLocation: "middle", nameGap: narrow ? 40 : 30, axisLabel: upright },
      yAxis: valueAxis("exams_axis", { minInterval: 1 }),
      series: [{
        name: say("exams_axis"), type: "bar", barCategoryGap: "12%", tooltip: { valueFormatter: examsTip },
        data: bins.map((value, bin) => ({ value, itemStyle: { color: edges[bin] < 12 ? TONES.on_time : TONES.late } })),
        markLine: {
          symbol: "none", silent: true, lineStyle: { color: TONES.missing, width: 2, type: "solid" },
          label: { formatter: say("deadline"), position: "end" }, data: [{ xAxis: 11 }],
        },
      }],
    } : null, "nothing_complete");
  }

  function bars(key, rows) {
    const known = rows.filter((row) => row.rate !== "");
    const rates = known.map((row) => percent(row.rate));
    section(key, known.length ? {
      legend: { show: false },
      grid: { left: 8, right: 64, top: 8, bottom: 28, containLabel: true },
      xAxis: valueAxis("rate_axis", { min: 0, max: 100, nameLocation: "middle", nameGap: 28, nameTextStyle: { align: "center" } }),
      yAxis: { type: "category", inverse: true, data: known.map((row) => row.label), axisLabel: { width: 110, overflow: "break" } },
      series: [{
        name: say("rate"), type: "bar", color: TONES.on_time, barMaxWidth: 26, data: rates, tooltip: { valueFormatter: shareTip },
        label: { show: true, position: "right", formatter: ({ value }) => `${value.toFixed(2)}%` },
      }],
    } : null, "nothing_due", Math.max(160, known.length * 40 + 60));
  }

  function compared() {
    if (report.regions) {
      const rows = report.regions.map((row) => ({ ...row, label: regionName(row.region) }));
      bars("regions", rows.sort((a, b) => Number(b.rate) - Number(a.rate)));
    }
    if (report.peers) {
      bars("peers", [{ ...report, label: say("own") }, { ...report.peers.region, label: regionName(report.region) }, { ...report.peers.province, label: say("province") }]);
    }
  }

  const meaning = (rule) => (rules[rule] ? rules[rule][at.lang] : rule);

  function openFlags() {
    const known = Object.entries(report.open_by_rule).sort((a, b) => b[1] - a[1]);
    section("flags", known.length ? {
      legend: { show: false },
      grid: { left: 8, right: 48, top: 8, bottom: 28, containLabel: true },
      xAxis: { type: "value", minInterval: 1, splitNumber: 3, name: say("flags_unit"), nameLocation: "middle", nameGap: 28, axisLabel: { hideOverlap: true } },
      yAxis: { type: "category", inverse: true, data: known.map(([rule]) => meaning(rule)), axisLabel: { width: 130, overflow: "break" } },
      series: [{ name: say("open_flags"), type: "bar", color: TONES.missing, barMaxWidth: 26, data: known.map(([, n]) => n), label: { show: true, position: "right", formatter: ({ value }) => count(value) } }],
    } : null, "no_flags", Math.max(160, known.length * 56 + 60));
  }

  const cell = (text, className = "") => node("td", { textContent: text, className });

  function flagList() {
    const place = document.getElementById("flag-list");
    if (!report.flags) return place?.remove();
    const head = ["date", "rule", "state", "exams_behind"].map((key, i) => node("th", { scope: "col", textContent: say(key), className: i < 3 ? "text" : "" }));
    const rows = report.flags.map((flag) => node("tr", {}, cell(flag.day, "text"), cell(meaning(flag.rule), "text long"), cell(say(flag.state), "text"), cell(count(flag.exams_total))));
    const table = node("table", {}, node("thead", {}, node("tr", {}, ...head)), node("tbody", {}, ...rows));
    const shown = rows.length ? node("div", { className: "scroll" }, table) : node("p", { className: "empty", textContent: say("no_flags_at_all") });
    place.replaceChildren(node("h2", { textContent: say("flag_list") }), shown);
  }

  const COLUMNS = [
    ["rank", (row) => (row.rank === "" ? say("no_value") : count(row.rank))],
    ["hospital", null],
    ["rate", (row) => share(row.rate)],
    ...["due", "on_time", ...MISSED, "excused"].map((key) => [key, (row) => count(row[key])]),
    ...["p50", "p90", "p99"].map((key) => [key, (row) => clock(row[`delay_${key}_minutes`])]),
    ["open_flags", (row) => count(row.open_flags)],
    ["region", (row) => regionName(row.region)],
    ["level", (row) => row.level || say("no_value")],
  ];
  const TEXTS = ["hospital", "region", "level"];
  const sortValue = (row, key) => {
    if (key === "hospital") return nameOf(row);
    return row[/^p\d/.test(key) ? `delay_${key}_minutes` : key];
  };

  function chosen() {
    const find = at.find.trim().toLowerCase();
    const rows = report.hospitals.filter((row) => (!at.region || row.region === at.region)
      && (!find || [row.name, row.name_en, row.hospital_id].some((text) => text.toLowerCase().includes(find))));
    const sign = at.down ? -1 : 1;
    const compare = new Intl.Collator(locale(), { numeric: true }).compare;
    return rows.sort((a, b) => {
      const [x, y] = [sortValue(a, at.sort), sortValue(b, at.sort)];
      // What has no value comes last, whichever way.
      if (x === "" || y === "") return (x === "") - (y === "") || compare(a.hospital_id, b.hospital_id);
      const order = TEXTS.includes(at.sort) ? compare(x, y) : Number(x) - Number(y);
      return sign * order || compare(a.hospital_id, b.hospital_id);
    });
  }

  function rankingRows() {
    const rows = chosen(), size = at.size || rows.length || 1;
    at.page = Math.max(0, Math.min(at.page, Math.ceil(rows.length / size) - 1));
    const from = at.page * size, shown = rows.slice(from, from + size);
    const head = COLUMNS.map(([key]) => {
      const unit = /^p\d/.test(key) ? ` (${say("clock").replace(":", "\u2060:\u2060")})` : ""; // not broken within
      const button = node("button", { type: "button", textContent: say(key) + unit });
      button.addEventListener("click", () => {
        at.down = at.sort === key ? !at.down : !(TEXTS.includes(key) || key === "rank");
        Object.assign(at, { sort: key, page: 0 });
        rankingRows();
      });
      const made = node("th", { scope: "col", className: TEXTS.includes(key) ? "text" : "" }, button);
      if (at.sort === key) made.setAttribute("aria-sort", at.down ? "descending" : "ascending");
      return made;
    });
    const line = (row) => node("tr", {}, ...COLUMNS.map(([key, show]) => {
      if (key !== "hospital") return cell(show(row), TEXTS.includes(key) ? "text" : "");
      return node("td", { className: "text name" }, nameOf(row), node("span", { className: "id", textContent: row.hospital_id }));
    }));
    const body = shown.length ? shown.map(line) : [node("tr", {}, node("td", { colSpan: COLUMNS.length, className: "text", textContent: say("none_shown") }))];
    const table = node("table", {}, node("thead", {}, node("tr", {}, ...head)), node("tbody", {}, ...body));
    document.getElementById("ranking-table").replaceChildren(table);
    const step = (key, by, off) => {
      const button = node("button", { type: "button", textContent: say(key), disabled: off });
      button.addEventListener("click", () => { at.page += by; rankingRows(); });
      return button;
    };
    const told = rows.length ? say("shown", { from: count(from + 1), to: count(from + shown.length), n: count(rows.length) }) : "";
    document.getElementById("pager").replaceChildren(
      step("earlier", -1, at.page === 0), step("later", 1, from + size >= rows.length), node("span", { textContent: told }));
  }

  function ranking() {
    const place = document.getElementById("ranking");
    if (!report.hospitals) return place?.remove();
    const find = node("input", { type: "search", id: "find", placeholder: say("search"), value: at.find });
    find.setAttribute("aria-label", say("search"));
    find.addEventListener("input", () => { Object.assign(at, { find: find.value, page: 0 }); rankingRows(); });
    const select = (id, label, options, now, take) => {
      const made = node("select", { id }, ...options.map(([value, text]) => node("option", { value, textContent: text, selected: value === now })));
      made.setAttribute("aria-label", label);
      made.addEventListener("change", () => { take(made.value); at.page = 0; rankingRows(); });
      return made;
    };
    const regions = [...new Set(report.hospitals.map((row) => row.region))].sort();
    const tools = node("div", { className: "tools" }, find);
    if (regions.length > 1) tools.append(select("region", say("region"), [["", say("all_regions")], ...regions.map((one) => [one, regionName(one)])], at.region, (value) => { at.region = value; }));
    const sizes = PAGE_SIZES.map((size) => [String(size), size ? say("per_page", { n: size }) : say("all_rows")]);
    tools.append(select("size", say("ranking"), sizes, String(at.size), (value) => { at.size = Number(value); }));
    place.replaceChildren(node("h2", { textContent: say("ranking") }), tools,
      node("div", { className: "scroll", id: "ranking-table" }), node("div", { className: "tools pager", id: "pager" }));
    rankingRows();
  }

  function draw() {
    for (const chart of charts) chart.dispose();
    charts = [];
    document.getElementById("charts").replaceChildren();
    headings();
    cards();
    trend();
    days();
    delays();
    openFlags();
    compared();
    flagList();
    ranking();
  }

  const inHash = { "#zh": 0, "#en": 1 }[location.hash];
  at.lang = inHash ?? (navigator.language.toLowerCase().startsWith("zh") ? 0 : 1);
  for (const button of document.querySelectorAll("[data-lang]")) {
    button.addEventListener("click", () => { at.lang = Number(button.dataset.lang); draw(); });
  }
  document.getElementById("print").addEventListener("click", () => window.print());
  window.addEventListener("resize", () => charts.forEach((chart) => chart.resize()));
  // Paper is 186 mm wide between its margins, at 96 points an inch.
  const toPaper = (onPaper) => {
    for (const chart of charts) {
      chart.resize({ width: onPaper ? 660 : "auto" });
      chart.getZr().flush(); // the printer waits for no frame
    }
  };
  window.addEventListener("beforeprint", () => toPaper(true));
  window.addEventListener("afterprint", () => toPaper(false));
  matchMedia("print").addEventListener("change", (print) => toPaper(print.matches)); // who prints without asking first
  draw();
})();
