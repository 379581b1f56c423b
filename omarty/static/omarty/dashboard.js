// The dashboard's two charts; their figures stand as tables beside them.
"use strict";
(() => {
  const figures = JSON.parse(document.getElementById("charts").textContent);
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const rightToLeft = document.documentElement.dir === "rtl";

  const options = (ceiling, percent) => ({
    maintainAspectRatio: false,
    animation: false,
    layout: { padding: { left: 12, right: 12 } },
    plugins: { legend: { display: false }, tooltip: { rtl: rightToLeft } },
    scales: {
      x: { reverse: rightToLeft, ticks: { color: colour("--body-quiet-color") }, grid: { display: false } },
      y: {
        position: rightToLeft ? "right" : "left",
        beginAtZero: true,
        max: ceiling,
        ticks: { color: colour("--body-quiet-color"), precision: 0, callback: (value) => percent ? `\u2066${value}%\u2069` : value },
        grid: { color: colour("--hairline-color") },
      },
    },
  });

  const draw = (id, ceiling, percent) => new Chart(document.getElementById(id), {
    type: "bar",
    data: {
      labels: figures[id].labels,
      datasets: [{ data: figures[id].values, backgroundColor: colour("--accent"), borderRadius: 4, maxBarThickness: 36 }],
    },
    options: options(ceiling, percent),
  });

  Chart.defaults.font.family = colour("--font-family-primary");
  let charts = [];
  const drawAll = () => {
    charts.forEach((chart) => chart.destroy());
    charts = [draw("occupancy", 100, true), draw("activity", undefined, false)];
  };
  drawAll();
  // Light or dark: the theme button changes this attribute.
  new MutationObserver(drawAll).observe(document.documentElement, { attributeFilter: ["data-theme"] });
})();
