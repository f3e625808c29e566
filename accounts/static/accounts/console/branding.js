"use strict";

// The settings' page: shows how name and colour will look, as they are typed. The server says what becomes of a colour.
(() => {
  const panel = document.querySelector("[data-branding]");
  const color = document.querySelector("input[name=brand_color]");
  const name = document.querySelector("input[name=brand_name]");
  if (!panel || !color || !name) return;
  const told = panel.querySelector("[data-branding-told]");
  let asked = null;
  let waiting = 0;

  function showName() {
    for (const each of panel.querySelectorAll("[data-branding-name]")) {
      each.textContent = name.value.trim() || panel.dataset.brandingFallback;
    }
  }

  async function showColor() {
    asked?.abort();
    asked = new AbortController();
    try {
      const query = new URLSearchParams({ color: color.value });
      const answer = await Console.send(`${panel.dataset.branding}?${query}`, { signal: asked.signal });
      panel.style.setProperty("--brand", answer.color);
      panel.style.setProperty("--brand-on-dark", answer.on_dark);
      told.textContent = answer.told;
      panel.hidden = false;
    } catch (error) {
      if (error.name !== "AbortError") told.textContent = error.errors?.color ?? error.message;
    }
  }

  name.addEventListener("input", showName);
  color.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(showColor, 200);
  });
  showName();
  showColor();
})();
