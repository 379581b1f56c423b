"use strict";
// The list of units: E or F2 turns it into fields; these are filled and moved through as in a spreadsheet.
(() => {
  const edit = document.querySelector("#edit-list");
  if (edit) {
    document.addEventListener("keydown", (event) => {
      const typing = event.target.closest?.("input:not([type=checkbox]), select, textarea, [contenteditable]");
      const plain = !event.ctrlKey && !event.altKey && !event.metaKey && !event.shiftKey;
      // By its place on the keyboard too: with an Arabic one the same key types another letter.
      const meant = event.key === "F2" || event.code === "KeyE" || event.key?.toLowerCase() === "e";
      if (meant && plain && !typing) {
        event.preventDefault();
        edit.click();
      }
    });
  }

  const status = document.querySelector("#pasted");
  if (!status) return;
  const rows = [...document.querySelectorAll("#result_list tbody tr")].map((row) =>
    [...row.querySelectorAll("input:not([type=hidden], [type=checkbox]), select")]);
  const placeOf = (field) => {
    const row = rows.findIndex((each) => each.includes(field));
    return [row, row < 0 ? -1 : rows[row].indexOf(field)];
  };

  // A copied table: rows end with a line, cells with a tab; a cell in quotes may have both in it.
  const cellsOf = (text) => {
    const table = [[]];
    const pattern = /(?:"((?:[^"]|"")*)"(?=[\t\r\n]|$)|([^\t\r\n]*))(\t|\r\n|\r|\n|$)/gy;
    for (let found = pattern.exec(text); found; found = pattern.exec(text)) {
      const [, quoted, bare, end] = found;
      table.at(-1).push((quoted === undefined ? bare : quoted.replaceAll('""', '"')).trim());
      if (end === "") break;
      if (end !== "\t") table.push([]);
    }
    // Spreadsheets end the last row with a line, too.
    if (table.length > 1 && table.at(-1).join("") === "") table.pop();
    return table;
  };

  // Whether the field takes it; a choice is meant by its label or its stored value.
  const fill = (field, text) => {
    if (field.disabled) return field.value === text;
    if (field.options) {
      const meant = text.toLocaleLowerCase();
      const option = [...field.options].find((each) => [each.value, each.text.trim().toLocaleLowerCase()].includes(meant));
      if (!option) return false;
      field.value = option.value;
    } else {
      field.value = text;
    }
    field.dispatchEvent(new Event("input", { bubbles: true }));
    return true;
  };

  const tell = (filled, beyond, unread) => {
    const said = [["filled", filled], ["beyond", beyond], ["unread", unread]].filter(([name, count]) => count || name === "filled");
    status.textContent = said.map(([name, count]) => status.dataset[name].replace("%s", count)).join(" ");
  };

  document.addEventListener("paste", (event) => {
    const [first, column] = placeOf(event.target);
    const table = cellsOf(event.clipboardData.getData("text/plain"));
    if (first < 0 || (table.length === 1 && table[0].length === 1 && !event.target.options)) return;
    event.preventDefault();
    let unread = 0;
    const fitting = table.slice(0, rows.length - first);
    fitting.forEach((cells, index) => {
      const fields = rows[first + index].slice(column);
      cells.forEach((cell, place) => { if (!fields[place] || !fill(fields[place], cell)) unread += 1; });
    });
    tell(fitting.length, table.length - fitting.length, unread);
  });

  const goTo = (row, column) => {
    const field = rows[row] && rows[row][column];
    if (!field) return;
    field.focus();
    if (field.select) field.select();
    field.scrollIntoView({ block: "nearest" });
  };

  // Left and right move through a text first, and leave it at its end; right-to-left pages have their columns turned.
  const sideways = (field, step) => {
    if (field.options) return true;
    const whole = field.selectionStart === 0 && field.selectionEnd === field.value.length;
    const edge = step < 0 ? 0 : field.value.length;
    return whole || (field.selectionStart === edge && field.selectionEnd === edge);
  };

  const turned = document.documentElement.dir === "rtl" ? -1 : 1;
  const isOpen = (field) => field.options && CSS.supports("selector(:open)") && field.matches(":open");
  document.addEventListener("keydown", (event) => {
    const field = event.target;
    const [row, column] = placeOf(field);
    if (row < 0 || event.altKey || event.metaKey || event.isComposing || isOpen(field)) return;
    if (event.key === "Enter" && event.ctrlKey) {
      event.preventDefault();
      field.form.requestSubmit(field.form.querySelector("[name=_save]"));
      return;
    }
    if (event.ctrlKey || (event.shiftKey && event.key !== "Enter")) return;
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const down = { ArrowUp: -1, ArrowDown: 1, Enter: event.shiftKey ? -1 : 1 }[event.key];
    if (down) {
      event.preventDefault();
      goTo(row + down, column);
    } else if (step && sideways(field, step)) {
      event.preventDefault();
      goTo(row, column + step * turned);
    }
  });
})();
