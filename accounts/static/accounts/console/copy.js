"use strict";

// A button that copies what stands in a field: data-copy-from is the field's id, data-copied what is told then.
for (const button of document.querySelectorAll("[data-copy-from]")) {
  const field = document.getElementById(button.dataset.copyFrom);
  const told = button.parentElement.querySelector("[data-copy-told]");
  button.hidden = false;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(field.value);
    } catch {  // not offered without TLS
      field.select();
      document.execCommand("copy");
      button.focus();
    }
    told.textContent = button.dataset.copied;
  });
}
