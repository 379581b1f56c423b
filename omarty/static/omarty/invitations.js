"use strict";
// Beside a link that was made: a button that copies it. Without a clipboard the link is selected instead.
for (const button of document.querySelectorAll("[data-copy]")) {
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
      button.textContent = button.dataset.copied;
    } catch {
      const link = button.closest(".invitation").querySelector(".link");
      window.getSelection().selectAllChildren(link);
    }
  });
}
for (const button of document.querySelectorAll("[data-print]")) button.addEventListener("click", () => window.print());
