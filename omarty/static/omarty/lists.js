"use strict";
// On a narrow window each row of a list is a card: every cell then needs its column's name beside it,
// and a screen reader needs it at every field.
for (const table of document.querySelectorAll("#result_list, table.as-cards, table.record-table")) {
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

// In a narrow header the present page's tab may be beyond the edge.
const menu = document.querySelector("#menu");
const current = menu && menu.querySelector("[aria-current]");
if (current) {
  const [frame, tab] = [menu, current].map((each) => each.getBoundingClientRect());
  menu.scrollLeft += (tab.left + tab.right - frame.left - frame.right) / 2;
}

// Whoever leaves a list or a unit's page with unsaved changes is asked first.
const edited = document.querySelector("#changelist-form:has([name=_save]), #apartment_form");
if (edited) {
  const fields = () => [...edited.elements].filter((each) => each.name && !each.classList.contains("action-select") && each.type !== "submit");
  const differs = (field) => field.options
    ? [...field.options].some((option) => option.selected !== option.defaultSelected) && [...field.options].some((option) => option.defaultSelected)
    : ["checkbox", "radio"].includes(field.type) ? field.checked !== field.defaultChecked : field.value !== field.defaultValue;
  // A refused form comes back with what was typed, as if it were its default.
  const unsaved = () => edited.querySelector(".errorlist") || fields().some(differs);
  const bar = edited.querySelector(".unsaved");
  let saving = false;
  edited.addEventListener("submit", (event) => { saving = !event.defaultPrevented; });
  // On a phone a row that was typed into is not folded: its two lines say what it was before.
  edited.addEventListener("input", (event) => event.target.closest("#result_list tr")?.classList.add("edited"));
  if (bar) edited.addEventListener("input", () => { bar.textContent = unsaved() ? bar.dataset.says : ""; });
  window.addEventListener("beforeunload", (event) => { if (!saving && unsaved()) event.preventDefault(); });
  window.addEventListener("pageshow", () => { saving = false; });
}

// Search-as-you-type fields are built late, without the label of the field that they replace.
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
// jQuery does what it was asked to in order: after it has built them.
window.django?.jQuery?.(nameBuiltFields);
