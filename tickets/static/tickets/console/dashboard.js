/* Draws the dashboard's chart from its table, in the colours of the mode, and shows the days only where they are asked for. */
(() => {
  "use strict";

  const SERIES = ["--series-created", "--series-resolved"];
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  function datasets(table) {
    const names = [...table.tHead.rows[0].cells].slice(1).map((cell) => cell.textContent);
    const rows = [...table.tBodies[0].rows];
    return names.map((label, index) => ({
      label,
      data: rows.map((row) => Number(row.cells[index + 1].textContent)),
      // Told apart without colours too.
      borderDash: index ? [6, 4] : [],
      pointStyle: index ? "rectRot" : "circle",
      borderWidth: 2,
      pointRadius: rows.length > 45 ? 0 : 3,
    }));
  }

  function paint(chart) {
    chart.data.datasets.forEach((dataset, index) => {
      dataset.borderColor = dataset.backgroundColor = colour(SERIES[index]);
    });
    const [text, line] = [colour("--text"), colour("--line")];
    chart.options.plugins.legend.labels.color = text;
    for (const scale of Object.values(chart.options.scales)) {
      scale.ticks.color = text;
      scale.grid.color = line;
    }
    chart.update(); // not in the mode "none", which leaves the points as they were
  }

  function draw(figure) {
    const table = document.getElementById(figure.dataset.chart);
    const labels = [...table.tBodies[0].rows].map((row) => row.cells[0].textContent);
    const chart = new Chart(figure.querySelector("canvas"), {
      type: "line",
      data: { labels, datasets: datasets(table) },
      options: {
        animation: false,
        maintainAspectRatio: false,
        interaction: { mode: "index", intersect: false },
        plugins: { legend: { align: "end", labels: { boxWidth: 28, boxHeight: 0 } } },
        scales: {
          x: { ticks: { maxRotation: 0, autoSkipPadding: 16 }, grid: { display: false } },
          y: { beginAtZero: true, ticks: { precision: 0 }, grid: {} },
        },
      },
    });
    paint(chart);
    new MutationObserver(() => paint(chart)).observe(document.documentElement, { attributeFilter: ["class"] });
  }

  function showDays(form) {
    const custom = form.elements.period.value === "custom";
    for (const day of form.querySelectorAll(".dashboard-day")) {
      day.hidden = !custom;
      day.querySelector("input").disabled = !custom;
    }
  }

  const form = document.querySelector(".dashboard-filters");
  form.elements.period.addEventListener("change", () => showDays(form));
  showDays(form);
  document.querySelectorAll("[data-chart]").forEach(draw);
})();
