"use strict";

// Naming colleagues in an internal note: "@" and a few letters offer the staff, arrow keys choose, Enter or Tab takes
// the name, which is written as "@" and the address. The server makes mentions of whatever stands in the text.
(() => {
  const SHOWN = 6;
  const BEGUN = /(^|[\s(])@([^\s@]{0,40})$/;

  let people = null; // asked for with the first "@"
  let matches = [];
  let chosen = 0;

  const box = () => document.querySelector("[data-reply] textarea");
  const list = () => document.querySelector("#mention-options");
  const isNote = () => Boolean(document.querySelector('[name="visibility"][value="internal"]:checked'));

  document.addEventListener("input", async (event) => {
    if (event.target !== box()) return;
    if (begun() === null) return close();
    people ??= Console.send(list().dataset.staffUrl).then((answer) => answer.people);
    try {
      show(await people);
    } catch {
      people = null; // offered again with the next letter
      close();
    }
  });

  // Before the box's own keys: while names are offered, Enter does not write a line and Ctrl+Enter does not send.
  document.addEventListener("keydown", (event) => {
    if (event.target !== box() || !matches.length) return;
    const work = {
      ArrowDown: () => choose(chosen + 1),
      ArrowUp: () => choose(chosen - 1),
      Enter: take,
      Tab: take,
      Escape: close,
    }[event.key];
    if (!work || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    event.preventDefault();
    event.stopPropagation();
    work();
  }, true);

  document.addEventListener("focusout", (event) => event.target === box() && close());
  document.addEventListener("mousedown", (event) => {
    const option = event.target.closest("#mention-options [role=option]");
    if (!option) return;
    event.preventDefault(); // the focus stays in the text
    choose([...list().children].indexOf(option));
    take();
  });

  function begun() {
    const { value, selectionStart, selectionEnd } = box();
    if (selectionStart !== selectionEnd || !isNote()) return null;
    return value.slice(0, selectionStart).match(BEGUN)?.[2].toLocaleLowerCase() ?? null;
  }

  function show(found) {
    const letters = begun();
    if (letters === null) return close();
    const begins = ({ name, email }) => [...name.split(/\s+/), name, email].some((word) => word.toLocaleLowerCase().startsWith(letters));
    matches = found.filter(begins).slice(0, SHOWN);
    if (!matches.length) return close();
    list().replaceChildren(...matches.map(({ name, email }, index) => {
      const option = Object.assign(document.createElement("li"), { id: `mention-option-${index}` });
      option.setAttribute("role", "option");
      const address = Object.assign(document.createElement("span"), { textContent: email, className: "console-quiet" });
      option.append(name, " ", address);
      return option;
    }));
    box().after(list());
    list().hidden = false;
    box().setAttribute("aria-controls", list().id);
    choose(0);
  }

  function choose(index) {
    chosen = (index + matches.length) % matches.length;
    [...list().children].forEach((option, at) => option.setAttribute("aria-selected", String(at === chosen)));
    box().setAttribute("aria-activedescendant", `mention-option-${chosen}`);
    list().children[chosen].scrollIntoView({ block: "nearest" });
  }

  function take() {
    const text = box();
    const at = text.selectionStart;
    const start = text.value.slice(0, at).lastIndexOf("@");
    const { email } = matches[chosen];
    close();
    text.setRangeText(`@${email} `, start, at, "end");
    text.dispatchEvent(new InputEvent("input", { bubbles: true }));
  }

  function close() {
    matches = [];
    if (!list()) return;
    list().hidden = true;
    list().replaceChildren();
    box()?.removeAttribute("aria-activedescendant");
    box()?.removeAttribute("aria-controls");
  }
})();
