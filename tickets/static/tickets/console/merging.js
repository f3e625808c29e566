"use strict";

// Merging in a dialog on the ticket page: shows the steps of the page that merges without leaving, up to the press that
// merges. Links of tickets are changed in place.
(() => {
  const find = (selector, within = document) => within.querySelector(selector);

  async function show(url) {
    let step;
    try {
      const response = await fetch(url, { headers: { "X-Requested-With": "fetch", Accept: "text/html" } });
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      step = response.ok ? find("#merge", page) : null;
    } catch {
      step = null;
    }
    if (!step) return location.assign(url); // to be told there what is wrong, such as a session that has ended
    const dialog = find("#merge-dialog");
    const body = find("[data-merge-body]", dialog);
    body.replaceChildren(document.adoptNode(step));
    body.dataset.url = new URL(url, location.href).href;
    if (!dialog.open) dialog.showModal();
    (find("[autofocus]", body) ?? find("h2", body)).focus(); // not the button: Enter that is still held must not merge
  }

  const isPlain = (event) => event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-merge]");
    if (!link || !isPlain(event) || !find("#merge-dialog")) return;
    event.preventDefault();
    const within = link.closest("[data-merge-body]");
    show(new URL(link.getAttribute("href"), within?.dataset.url ?? location.href).href);
  });

  document.addEventListener("submit", (event) => {
    const form = event.target;
    const within = form.closest("[data-merge-body]");
    if (within && form.method === "get") {
      event.preventDefault();
      const url = new URL(within.dataset.url);
      url.search = new URLSearchParams(new FormData(form)).toString();
      show(url.href);
    } else if (form.id === "related_form") {
      event.preventDefault();
      changeLinks(form, event.submitter);
    }
  });

  async function changeLinks(form, button) {
    const data = new FormData(form, button);
    const place = () => find("[data-related-error]");
    place().textContent = "";
    try {
      await Console.send(form.action, { form: data });
    } catch (error) {
      place().textContent = Object.values(error.errors)[0] ?? error.detail;
      find("#id_related_ticket").focus();
      return;
    }
    find("#id_related_ticket").value = "";
    button?.blur(); // else the part that holds it would not be replaced
    document.activeElement?.blur();
    document.dispatchEvent(new CustomEvent("ticket:changed"));
  }
})();
