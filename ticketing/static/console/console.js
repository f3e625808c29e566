"use strict";

// A filter acts as soon as it is chosen; without scripts the button does.
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-submit-on-change]")) event.target.form.requestSubmit();
});

// Filters that are not set stay out of the address.
document.addEventListener("submit", (event) => {
  if (!event.target.matches(".console-filters")) return;
  for (const control of event.target.elements) if (control.name && control.value === "") control.disabled = true;
});

document.addEventListener("keydown", (event) => {
  const form = event.target.closest?.("[data-reply]")?.closest("form");
  if (form && event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    form.requestSubmit();
  }
});

// A menu closes where a click or the focus goes elsewhere, and by Escape, which leaves the focus on its button.
for (const kind of ["click", "focusin", "keydown"]) {
  document.addEventListener(kind, (event) => {
    for (const menu of document.querySelectorAll("details[data-menu][open]")) {
      if (kind === "keydown" ? event.key === "Escape" : !menu.contains(event.target)) menu.open = false;
      if (kind === "keydown" && !menu.open) menu.querySelector("summary").focus();
    }
  });
}

document.addEventListener("focusin", (event) => {
  if (event.target.matches("[data-select-on-focus]")) event.target.select();
});

// An invitation's token comes behind the #, so that no server on the way sees it.
document.addEventListener("DOMContentLoaded", () => {
  const token = document.querySelector("#id_token");
  if (token && location.hash.length > 1) token.value = location.hash.slice(1);
});

// The search of a page that has none is the queue's.
document.addEventListener("console:search", () => location.assign(`${document.querySelector("[data-search-in]").dataset.searchIn}#searchbar`));
document.addEventListener("DOMContentLoaded", () => {
  if (location.hash === "#searchbar") document.querySelector("#searchbar")?.focus();
});

// Addresses are suggested while they are typed.
document.addEventListener("input", async (event) => {
  const list = document.querySelector(`datalist[data-for="${event.target.id}"]`);
  if (!list || event.target.value.length < 2) return;
  const response = await fetch(`${list.dataset.suggest}?q=${encodeURIComponent(event.target.value)}`);
  if (!response.ok) return;
  const { people } = await response.json();
  list.replaceChildren(...people.map(({ email, name }) => new Option(name, email)));
});

// Figures of the side bar: one request for each address that knows some of them.
document.addEventListener("DOMContentLoaded", () => {
  const shown = [...document.querySelectorAll("[data-count-url]")];
  for (const url of new Set(shown.map((figure) => figure.dataset.countUrl))) {
    Console.send(url).then(
      ({ counts }) => {
        for (const figure of shown) {
          if (figure.dataset.countUrl === url) figure.textContent = counts[figure.dataset.count] ?? "";
        }
      },
      () => {}, // the figures are a help; a page without them is whole
    );
  }
});
