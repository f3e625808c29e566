"use strict";

// The files of an answer: chosen, dropped or pasted, sent at once, each with its progress, and held by their ids until
// the answer goes. `box` is the element around the answer; `changed` is called when it has other files than before.
window.AnswerFiles = (box, changed) => {
  const find = (selector, within = box) => within.querySelector(selector);

  listen();
  return { name, show, add, areArriving: () => Boolean(find("[data-uploads] progress")), haveFailed };

  function listen() {
    const text = find("textarea[name=reply]");
    const input = find("input[type=file]");
    // Before it reaches unfold's own listener, which looks for a text field beside the input and fails without one.
    box.addEventListener("change", (event) => {
      if (event.target !== input) return;
      event.stopPropagation();
      const files = [...input.files];
      input.value = "";
      sendAll(files);
    }, true);
    for (const name of ["dragenter", "dragover"]) {
      box.addEventListener(name, (event) => {
        if (!event.dataTransfer.types.includes("Files")) return;
        event.preventDefault();
        box.classList.add("is-target");
      });
    }
    for (const name of ["dragleave", "drop"]) box.addEventListener(name, () => box.classList.remove("is-target"));
    box.addEventListener("drop", (event) => {
      if (!event.dataTransfer.files.length) return;
      event.preventDefault();
      sendAll([...event.dataTransfer.files]);
    });
    text.addEventListener("paste", (event) => {
      if (!event.clipboardData.files.length) return;
      event.preventDefault();
      sendAll([...event.clipboardData.files]);
    });
    find("[data-uploads]").addEventListener("click", (event) => {
      const button = event.target.closest("[data-upload-remove]");
      if (button) remove(button.closest("li"));
    });
  }

  // What did not arrive would be missing from the answer unnoticed, until its writer removes it.
  function haveFailed() {
    return [...box.querySelectorAll("[data-uploads] li")].some((row) => !find("[name=upload_ids]", row));
  }

  // The page itself only knows that there are files with the draft.
  function name(files) {
    for (const row of box.querySelectorAll("[data-upload]")) {
      const file = files.find(({ id }) => id === row.dataset.upload);
      if (file) nameRow(row, file);
      else {
        find("[name=upload_ids]", row)?.remove();
        find("[data-error]", row).textContent = box.dataset.textExpired;
      }
    }
  }

  function show(files) {
    find("[data-uploads]").replaceChildren();
    add(files);
  }

  function add(files) {
    const held = [...box.querySelectorAll("[name=upload_ids]")].map(({ value }) => value);
    for (const file of files.filter(({ id }) => !held.includes(id))) {
      const row = newRow(file);
      hold(row, file.id);
      find("[data-uploads]").append(row);
    }
  }

  function newRow(file) {
    const row = find("[data-upload-row]").content.firstElementChild.cloneNode(true);
    nameRow(row, file);
    return row;
  }

  // From then on the answer has the file.
  function hold(row, id) {
    find("progress", row).remove();
    row.append(Object.assign(Console.element("input", ""), { type: "hidden", name: "upload_ids", value: id }));
  }

  function nameRow(row, file) {
    for (const name of row.querySelectorAll("[data-name]")) name.textContent = file.name;
    find("[data-size]", row).textContent = sizeOf(file);
  }

  function sendAll(files) {
    if (!find("[data-box]").disabled) files.forEach(send);
  }

  async function send(file) {
    const row = newRow(file);
    find("[data-uploads]").append(row);
    try {
      const announced = { name: file.name, size: file.size, content_type: file.type || "application/octet-stream" };
      const upload = await Console.send(box.dataset.uploadsUrl, { json: announced });
      const isKept = await put(file, upload, row);
      if (!isKept) return letGo(upload.id);
      hold(row, upload.id);
      changed();
    } catch (error) {
      find("progress", row)?.remove();
      find("[data-error]", row).textContent = error.detail;
    }
  }

  // False when the file was removed meanwhile. XMLHttpRequest, because fetch() does not tell how far a body has gone.
  function put(file, { method, url, headers }, row) {
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      request.open(method, url);
      for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
      request.upload.onprogress = ({ loaded, total }) => (find("progress", row).value = (100 * loaded) / total);
      request.onload = () => (request.status < 300 ? resolve(true) : reject(Console.error(request.status, detailOf(request))));
      request.onerror = () => reject(Console.error(0, { detail: Console.text("unreachable") }));
      request.onabort = () => resolve(false);
      row.stop = () => request.abort();
      if (row.isConnected) request.send(file);
      else resolve(false);
    });
  }

  function detailOf(request) {
    try {
      return JSON.parse(request.responseText);
    } catch {
      return {};
    }
  }

  function remove(row) {
    const id = find("[name=upload_ids]", row)?.value;
    const next = row.nextElementSibling ?? row.previousElementSibling;
    row.remove();
    row.stop?.();
    (next ? find("[data-upload-remove]", next) : find("input[type=file]")).focus();
    if (!id) return;
    letGo(id);
    changed();
  }

  function letGo(id) {
    // It expires in any case.
    Console.send(box.dataset.discardUrl.replace("UPLOAD", id), { method: "POST" }).catch(() => {});
  }

  function sizeOf({ size }) {
    const [amount, unit] = size < 1e3 ? [size, "byte"] : size < 1e6 ? [size / 1e3, "kilobyte"] : [size / 1e6, "megabyte"];
    const options = { style: "unit", unit, unitDisplay: "short", maximumFractionDigits: 1 };
    return new Intl.NumberFormat(document.documentElement.lang || "en", options).format(amount);
  }
};
