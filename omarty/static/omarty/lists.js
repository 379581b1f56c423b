// On a narrow window each row of a list is a card: every cell then needs its column's name beside it.
"use strict";
for (const table of document.querySelectorAll("#result_list, table.as-cards, table.office-table")) {
  const names = [...table.querySelectorAll("thead th")].map((head) => head.textContent.trim());
  for (const row of table.querySelectorAll("tbody tr")) {
    [...row.children].forEach((cell, column) => { cell.dataset.label = names[column] || ""; });
  }
}
// Filters stay folded away there until they are asked for.
const filters = document.querySelector("#changelist-filter > details.all-filters");
if (filters && window.matchMedia("(max-width: 767px)").matches) filters.open = false;
