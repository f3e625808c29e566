"use strict";

// Keyboard shortcuts. This file knows no page: a page says in its markup what it offers, and the help lists just that.
//
//   data-shortcut="r"         on a link, button, <summary> or field: the key, or two of them one after the other ("g q").
//                             It focuses a field and clicks anything else. Works as soon as the element is on the page,
//                             also when a script put it there; not while it is disabled, hidden or in a closed dialog.
//   data-shortcut-label="…"   what the help says of it, translated. Without one the help leaves the key out.
//   data-shortcut-event="x"   on a <template> (or anything): the key dispatches the bubbling event "console:x" in place
//                             of the click, on the current row, else on the element; event.detail.row is that row or null.
//   data-shortcut-rows=".row" on a list: j and k move the focus over the first link of each element inside that matches
//                             the selector, Enter follows it, x ticks the row's checkbox. The row whose link (or other
//                             part) had the focus last is the current one.
//
// Where several elements have the same key, the one in the current row wins, else a field, else the first on the page. Nothing happens
// while a field has the focus, a dialog is open, Ctrl, Alt or Meta is held, an earlier listener has called
// preventDefault(), or the person has turned single keys off (WCAG 2.2, 2.1.4). Escape leaves a field.
(() => {
  const OFF = "console.shortcuts.off";
  const SEQUENCE_MILLISECONDS = 1500;
  const TEXT = "input:not([type=checkbox], [type=radio], [type=button], [type=submit], [type=reset], [type=file]), textarea, select, [contenteditable]";

  let pending = "";
  let pendingSince = 0;
  let lastRow = null;

  const isOff = () => localStorage.getItem(OFF) !== null;
  const isOffered = (element) => !element.disabled && !element.closest("[hidden], dialog:not([open])");
  const offered = () => [...document.querySelectorAll("[data-shortcut]")].filter(isOffered);

  function rows() {
    const lists = [...document.querySelectorAll("[data-shortcut-rows]")];
    return lists.flatMap((list) => [...list.querySelectorAll(list.dataset.shortcutRows)]).filter((row) => row.querySelector("a[href]"));
  }

  function currentRow(all = rows()) {
    return all.find((row) => row.contains(document.activeElement)) ?? (all.includes(lastRow) ? lastRow : null);
  }

  function move(step) {
    const all = rows();
    if (!all.length) return false;
    const at = all.indexOf(currentRow(all));
    const row = all[at < 0 ? (step > 0 ? 0 : all.length - 1) : Math.min(Math.max(at + step, 0), all.length - 1)];
    row.querySelector("a[href]").focus();
    row.scrollIntoView({ block: "nearest" });
    return true;
  }

  function tick() {
    const box = currentRow()?.querySelector("input[type=checkbox]");
    box?.click();
    return Boolean(box);
  }

  function follow() {
    if (document.activeElement !== document.body) return false;
    const link = currentRow()?.querySelector("a[href]");
    link?.click();
    return Boolean(link);
  }

  function act(keys) {
    const found = offered().filter((element) => element.dataset.shortcut === keys);
    const row = currentRow();
    const element = found.find((each) => row?.contains(each)) ?? found.find((each) => each.matches(TEXT)) ?? found[0];
    if (!element) return false;
    if (element.dataset.shortcutEvent) {
      const detail = { row };
      (row ?? element).dispatchEvent(new CustomEvent(`console:${element.dataset.shortcutEvent}`, { bubbles: true, detail }));
    } else if (element.matches(TEXT)) {
      element.focus();
      element.select?.();
    } else {
      element.click();
    }
    return true;
  }

  const BUILT_IN = { j: () => move(1), k: () => move(-1), x: tick, Enter: follow, "?": () => showHelp() };

  function press(key) {
    const sequence = pending && performance.now() - pendingSince < SEQUENCE_MILLISECONDS ? `${pending} ${key}` : "";
    pending = "";
    if (sequence && act(sequence)) return true;
    if (act(key) || BUILT_IN[key]?.()) return true;
    if (offered().some((element) => element.dataset.shortcut.startsWith(`${key} `))) {
      pending = key;
      pendingSince = performance.now();
      return true;
    }
    return false;
  }

  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
    if (event.target.matches?.(TEXT)) {
      if (event.key === "Escape" && !event.target.closest("dialog")) event.target.blur();
      return;
    }
    if (isOff() || document.querySelector("dialog[open]")) return;
    if (press(event.key)) event.preventDefault();
  });

  document.addEventListener("focusin", (event) => {
    lastRow = rows().find((row) => row.contains(event.target)) ?? lastRow;
  });

  function showHelp() {
    const dialog = document.querySelector("#shortcuts");
    if (!dialog) return false;
    const list = dialog.querySelector("[data-shortcuts-page]");
    const blank = dialog.querySelector("template");
    const labels = new Map();
    for (const { dataset } of offered()) {
      if (dataset.shortcutLabel && !labels.has(dataset.shortcut)) labels.set(dataset.shortcut, dataset.shortcutLabel);
    }
    list.replaceChildren(
      ...[...labels].map(([keys, label]) => {
        const entry = blank.content.cloneNode(true);
        const key = entry.querySelector("kbd");
        const [first, ...others] = keys.split(" ");
        key.textContent = first;
        for (const other of others) key.after(" ", Object.assign(document.createElement("kbd"), { textContent: other }));
        entry.querySelector("dd").textContent = label;
        return entry;
      }),
    );
    dialog.querySelector("[data-shortcuts-rows]").hidden = !rows().length;
    dialog.querySelector("[data-shortcuts-switch]").checked = !isOff();
    dialog.showModal();
    return true;
  }

  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-shortcuts-open]")) showHelp();
  });

  document.addEventListener("change", (event) => {
    if (!event.target.matches("[data-shortcuts-switch]")) return;
    if (event.target.checked) localStorage.removeItem(OFF);
    else localStorage.setItem(OFF, "1");
  });
})();
