"use strict";
// HTML forms can only GET and POST: changes and deletions are sent from here, with the version that was read, so that
// somebody else's change is never lost. A change names only the fields that were edited.

const initialValues = new WeakMap();

function valuesOf(form) {
  return [...new FormData(form).entries()].filter(([name]) => name !== "csrfmiddlewaretoken");
}

function editedFields(form) {
  const before = initialValues.get(form).map(([name, value]) => `${name}=${value}`);
  const names = new Set(valuesOf(form).filter(([name, value]) => !before.includes(`${name}=${value}`)).map(([name]) => name));
  const now = new Set(valuesOf(form).map(([name]) => name));
  initialValues.get(form).filter(([name]) => !now.has(name)).forEach(([name]) => names.add(name));
  const body = new FormData();
  const all = new FormData(form);
  for (const name of names) {
    const values = all.getAll(name);
    (values.length ? values : ["false"]).forEach((value) => body.append(name, value)); // an unticked box sends nothing
  }
  return body;
}

async function send(form) {
  const method = form.dataset.method;
  const headers = { Accept: "application/json", "X-CSRFToken": form.querySelector("[name=csrfmiddlewaretoken]").value };
  if (form.dataset.etag && method !== "POST") headers["If-Match"] = form.dataset.etag;
  const body = method === "DELETE" ? undefined : method === "PATCH" ? editedFields(form) : new FormData(form);
  const response = await fetch(form.getAttribute("action"), { method, headers, body, credentials: "same-origin" });
  if (response.ok) return window.location.reload();
  const problem = await response.json();
  const lines = problem.errors.map((error) => `${error.field}: ${error.message}`);
  const failure = form.querySelector(".failure");
  failure.textContent = [problem.title, ...(lines.length ? lines : [problem.detail])].join("\n");
  failure.hidden = false;
}

for (const form of document.querySelectorAll("form[data-method]")) {
  initialValues.set(form, valuesOf(form));
  if (form.dataset.method !== "POST" || "stays" in form.dataset) {
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      send(form);
    });
  }
}
