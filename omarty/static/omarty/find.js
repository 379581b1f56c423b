"use strict";
// The key "/" leads to the field that finds anything, wherever nobody is typing. An Arabic keyboard has ظ on it.
const finder = document.querySelector("#find [type=search]");
const typing = "textarea, select, input:not([type=checkbox], [type=radio], [type=submit], [type=button], [type=file]), .select2-container, .select2-container *";
if (finder) {
  document.addEventListener("keydown", (event) => {
    if (!["/", "ظ"].includes(event.key) || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.isContentEditable || event.target.matches(typing)) return;
    event.preventDefault();
    finder.focus();
    finder.select();
  });
}
