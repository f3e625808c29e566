"""Walks a page with the Tab key, as somebody does who has no mouse."""

from playwright.sync_api import Page

_PREPARE = """() => {
  document.activeElement?.blur();
  getSelection().removeAllRanges();
  const focusable = "a[href], button, input, select, textarea, summary, [tabindex]";
  const look = (element) => {
    const style = getComputedStyle(element);
    const outline = style.outlineStyle === "none" ? "" : style.outlineStyle + style.outlineWidth + style.outlineColor;
    return [outline, style.boxShadow].join();
  };
  const told = (element) => element.outerHTML.replace(/\\s+/g, " ").slice(0, 160);
  // The radio buttons of a group are one stop: the chosen one, else the first.
  const stands_for_its_group = (radio) => {
    const group = [...document.getElementsByName(radio.name)].filter((each) => each.form === radio.form);
    return radio === (group.find((each) => each.checked) ?? group[0]);
  };
  const stops = [...document.querySelectorAll(focusable)].filter((each) =>
    each.tabIndex >= 0 && !each.disabled && each.checkVisibility({ visibilityProperty: true })
    && (each.type !== "radio" || stands_for_its_group(each)));
  const mouse_only = [...document.body.querySelectorAll("*")].filter((each) =>
    getComputedStyle(each).cursor === "pointer" && getComputedStyle(each.parentElement).cursor !== "pointer"
    && each.checkVisibility({ visibilityProperty: true })
    && !each.closest(`${focusable}, label`) && !each.querySelector(focusable));
  const unfocused = new Map(stops.map((each) => [each, look(each)]));
  const walk = window.tabWalk = { missed: new Set(stops), unseen: [], others: [], told };
  walk.mouseOnly = mouse_only.map(told);
  document.addEventListener("focusin", ({ target }) => {
    walk.missed.delete(target);
    if (!unfocused.has(target)) walk.others.push(told(target));
    if (unfocused.get(target) === look(target)) walk.unseen.push(told(target));
  });
  return stops.length;
}"""
_STEP = "() => tabWalk.missed.size"
_REPORT = """() => [
  ...[...tabWalk.missed].map((each) => `Tab never gets to ${tabWalk.told(each)}`),
  ...(tabWalk.missed.size ? tabWalk.others.map((each) => `Tab gets instead to ${each}`) : []),
  ...tabWalk.unseen.map((each) => `looks the same with the focus: ${each}`),
  ...tabWalk.mouseOnly.map((each) => `only for the mouse: ${each}`),
]"""
_SPARE = 5  # scrollers of Chromium's own, and the page itself between the last stop and the first


def problems_of_focus(page: Page) -> list[str]:
    """What Tab cannot reach, what does not show that it has the focus, and what only a mouse can press."""
    stops = page.evaluate(_PREPARE)
    for step in range(stops + _SPARE):
        page.keyboard.press("Tab")
        if step >= stops - 1 and page.evaluate(_STEP) == 0:
            break
    found: list[str] = page.evaluate(_REPORT)
    return found
