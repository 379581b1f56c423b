"use strict";
// This page answers a form. Whoever leaves it and comes back gets the form as it then is, and no question
// whether to send the old one again; a phone that drops the page meanwhile still has what was typed.
const leaves = () => history.replaceState(history.state, "", location.href);
document.addEventListener("submit", (event) => { if (!event.defaultPrevented) leaves(); });
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[href]");
  if (link && !link.target && !event.defaultPrevented) leaves();
});
