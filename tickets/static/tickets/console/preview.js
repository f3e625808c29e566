"use strict";

// The answer as it will look, in place of its text. `content` gives what is typed as a form, `refuse` says what is wrong.
window.AnswerPreview = (box, content, refuse) => {
  const find = (selector, within = box) => within.querySelector(selector);
  const text = find("textarea[name=reply]");

  find("[data-preview-toggle]").addEventListener("click", async () => {
    if (text.hidden) {
      leave();
      text.focus();
      return;
    }
    refuse("");
    try {
      const { html } = await Console.send(box.dataset.previewUrl, { form: content() });
      const shown = find("[data-preview]");
      if (text.value.trim()) shown.innerHTML = html; // sanitised by the server, as in the conversation
      else shown.textContent = box.dataset.textNothing;
      setPreview(true);
      shown.focus();
    } catch (error) {
      refuse(error.detail);
    }
  });
  return { leave };

  function leave() {
    if (text.hidden) setPreview(false);
  }

  function setPreview(isOn) {
    const toggle = find("[data-preview-toggle]");
    text.hidden = isOn;
    find("[data-preview]").hidden = !isOn;
    toggle.setAttribute("aria-pressed", String(isOn));
    find("[data-label]", toggle).textContent = isOn ? box.dataset.textWrite : box.dataset.textPreview;
  }
};
