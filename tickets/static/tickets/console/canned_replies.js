"use strict";

// The dialog in which a canned reply is found by typing; Enter has it filled in for the ticket and given to `insert`.
// `box` is the element around the answer.
window.CannedReplies = (box, insert) => {
  const find = (selector) => box.querySelector(selector);
  const dialog = find("[data-canned]");
  const filter = find("[data-canned-filter]");
  const list = find("#canned-options");
  let replies = [];
  let shown = [];
  let chosen = 0;

  find("[data-canned-open]").addEventListener("click", async () => {
    filter.value = "";
    dialog.showModal();
    filter.focus();
    tell("");
    try {
      ({ replies } = await Console.send(box.dataset.cannedUrl));
      offer();
    } catch (error) {
      tell(error.detail);
    }
  });
  find("[data-canned-close]").addEventListener("click", () => dialog.close());
  filter.addEventListener("input", (event) => {
    event.stopPropagation();
    offer();
  });
  filter.addEventListener("keydown", (event) => {
    const work = { ArrowDown: () => choose(chosen + 1), ArrowUp: () => choose(chosen - 1), Enter: take }[event.key];
    if (!work) return;
    event.preventDefault();
    event.stopPropagation();
    work();
  });
  list.addEventListener("click", (event) => {
    const option = event.target.closest("[role=option]");
    if (!option) return;
    choose([...list.children].indexOf(option));
    take();
  });

  function offer() {
    const words = filter.value.toLocaleLowerCase().split(/\s+/).filter(Boolean);
    const fits = ({ name, beginning }) => words.every((word) => `${name} ${beginning}`.toLocaleLowerCase().includes(word));
    shown = replies.filter(fits);
    list.replaceChildren(...shown.map(({ name, beginning }, index) => {
      const option = Console.element("li", "");
      option.id = `canned-${index}`;
      option.setAttribute("role", "option");
      option.append(Console.element("strong", name), Console.element("span", beginning));
      return option;
    }));
    find("[data-canned-none]").hidden = shown.length > 0;
    choose(0);
  }

  function choose(index) {
    filter.removeAttribute("aria-activedescendant");
    if (!shown.length) return;
    chosen = (index + shown.length) % shown.length;
    [...list.children].forEach((option, at) => option.setAttribute("aria-selected", String(at === chosen)));
    filter.setAttribute("aria-activedescendant", `canned-${chosen}`);
    list.children[chosen].scrollIntoView({ block: "nearest" });
  }

  async function take() {
    if (!shown.length) return;
    try {
      const answer = await Console.send(shown[chosen].url);
      dialog.close();
      insert(answer.text);
    } catch (error) {
      tell(error.detail);
    }
  }

  function tell(detail) {
    find("[data-canned-error]").textContent = detail;
  }
};
