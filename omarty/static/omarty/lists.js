"use strict";
// On a narrow window each row of a list is a card: every cell then needs its column's name beside it,
// and whoever listens instead of looking needs it at every field.
for (const table of document.querySelectorAll("#result_list, table.as-cards, table.office-table")) {
  const names = [...table.querySelectorAll("thead th")].map((head) => head.textContent.trim());
  for (const row of table.querySelectorAll("tbody tr")) {
    const title = row.querySelector("th");
    [...row.children].forEach((cell, column) => {
      cell.dataset.label = names[column] || "";
      for (const field of cell.querySelectorAll("input:not([type=hidden], [aria-label]), select")) {
        field.setAttribute("aria-label", `${names[column] || ""} ${title ? title.textContent.trim() : ""}`.trim());
      }
    });
  }
}

// Filters stay folded away there until they are asked for.
const filters = document.querySelector("#changelist-filter > details.all-filters");
if (filters && window.matchMedia("(max-width: 767px)").matches) filters.open = false;

// Fields that search while one types are built late, and without the label of the one they replace.
const nameBuiltFields = () => {
  for (const field of document.querySelectorAll("select.admin-autocomplete")) {
    const label = document.querySelector(`label[for="${field.id}"]`);
    const built = field.parentElement.querySelectorAll(".select2-selection, .select2-selection__rendered");
    for (const part of label ? built : []) {
      part.removeAttribute("aria-labelledby");
      part.setAttribute("aria-label", label.textContent.trim());
    }
  }
};
// jQuery builds them in a timeout of its own.
window.addEventListener("load", () => setTimeout(nameBuiltFields));
