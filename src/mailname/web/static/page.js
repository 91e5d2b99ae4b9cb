// What the page does beyond its HTML: moments kept right, news read aloud, lines to copy, traffic drawn. All of it can be missing.
"use strict";
(() => {
  const units = [["d", 86400], ["h", 3600], ["m", 60], ["s", 1]];
  const span = (seconds) => {
    const parts = [];
    let left = Math.round(seconds);
    for (const [unit, size] of units) {
      const count = Math.floor(left / size);
      left %= size;
      if (count || (unit === "s" && !parts.length)) parts.push(count + unit);
    }
    return parts.slice(0, 2).join(" ");
  };
  const tick = () => {
    const now = Date.now();
    for (const one of document.querySelectorAll("time[data-ago]")) {
      const seconds = (now - Date.parse(one.dateTime)) / 1000;
      one.textContent = seconds >= 1 ? span(seconds) + " ago" : "just now";
    }
    for (const one of document.querySelectorAll("time[data-left]")) {
      one.textContent = span(Math.max(0, (Date.parse(one.dateTime) - now) / 1000));
    }
  };

  const copyButtons = () => {
    for (const block of document.querySelectorAll("pre[data-copy]:not([data-ready])")) {
      block.dataset.ready = "";
      const button = document.createElement("button");
      button.type = "button";
      button.className = "copy quiet";
      button.textContent = "Copy";
      button.setAttribute("aria-label", "Copy the line to type");
      button.addEventListener("click", async () => {
        await navigator.clipboard.writeText(block.querySelector("code").textContent);
        button.textContent = "Copied";
        setTimeout(() => { button.textContent = "Copy"; }, 2000);
      });
      block.after(button);
    }
  };

  const colours = () => {
    const style = getComputedStyle(document.documentElement);
    return [0, 1, 2, 3].map((number) => style.getPropertyValue("--line-" + number).trim());
  };
  let plots = [];
  const plot = async () => {
    plots.forEach((one) => one.destroy());
    plots = [];
    if (!window.uPlot) return;
    for (const figure of document.querySelectorAll("figure[data-traffic]")) {
      const answer = await fetch(figure.dataset.traffic, { headers: { accept: "application/json" } });
      if (!answer.ok || !figure.isConnected) continue;
      const told = (await answer.json()).servers.filter((one) => one.traffic && one.traffic.history);
      const minutes = new Map();
      told.forEach((server, place) => {
        for (const row of server.traffic.history.rows) {
          const at = Date.parse(row.start) / 1000;
          if (!minutes.has(at)) minutes.set(at, told.map(() => 0));
          minutes.get(at)[place] += row.questions / row.seconds;
        }
      });
      if (minutes.size < 2) continue;
      const times = [...minutes.keys()].sort((one, other) => one - other);
      const ink = getComputedStyle(document.body).color;
      const line = getComputedStyle(document.documentElement).getPropertyValue("--line").trim();
      const axis = { stroke: ink, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 } };
      figure.querySelector("svg")?.remove();
      const made = new uPlot({
        width: figure.clientWidth,
        height: 220,
        scales: { y: { range: (_, least, most) => [0, most || 1] } },
        axes: [axis, { ...axis, label: "questions a second", size: 60 }],
        series: [{}, ...told.map((server, place) => ({ label: server.server, stroke: colours()[place % 4], width: 2 }))],
      }, [times, ...told.map((_, place) => times.map((at) => minutes.get(at)[place]))], figure);
      figure.prepend(made.root);
      plots.push(made);
    }
  };
  addEventListener("resize", () => {
    for (const one of plots) one.setSize({ width: one.root.parentElement.clientWidth, height: 220 });
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", plot);

  const busy = () => {
    for (const form of document.querySelectorAll("form[method=post]:not([data-ready])")) {
      form.dataset.ready = "";
      form.addEventListener("submit", () => {
        const button = form.querySelector("button");
        button.setAttribute("aria-busy", "true");
        setTimeout(() => { button.disabled = true; }, 0);
      });
    }
  };

  const dress = () => { tick(); copyButtons(); busy(); };
  let open = [];
  let sentence = "";
  const read = () => document.querySelector("[data-sentence]")?.textContent.trim() ?? "";
  document.addEventListener("htmx:beforeSwap", () => {
    open = [...document.querySelectorAll("details[open]")].map((one) => one.id);
    sentence = read();
  });
  document.addEventListener("htmx:afterSettle", () => {
    for (const id of open) document.getElementById(id)?.setAttribute("open", "");
    const tone = document.querySelector("[data-tone]")?.dataset.tone;
    if (tone) document.querySelector("main").className = tone;
    if (read() !== sentence) document.getElementById("announce").textContent = read();
    dress();
    plot();
  });
  dress();
  plot();
  setInterval(tick, 1000);
})();
