"use strict";

// Keeps an open ticket page up to date: asks every few seconds who else is here and whether the ticket has moved, and
// then lays the changed parts over the page. It never touches a text that is being written nor a field that was changed
// by hand. Other scripts dispatch "ticket:changed" on the document when they have changed the ticket themselves, with
// detail.part as the id of the part of the page (data-live) that is theirs to be shown anew; "ticket:shown" follows.
(() => {
  const SECOND = 1000;
  const OFTEN = 8 * SECOND;
  const SELDOM = 30 * SECOND;
  const IDLE_AFTER = 300 * SECOND;
  const STOP_AFTER = 3600 * SECOND; // of being hidden
  const WRITING_FOR = 60 * SECOND; // after the last key
  const LONGEST_WAIT = 120 * SECOND;
  const NEWS_KEPT = 5;

  let place;
  let seenVersion;
  let timer;
  let isAsking = false;
  let isStale = false; // the ticket changed while an answer was on its way
  let renewed = ""; // the id of a part that its own script has just changed, focus or not
  let failures = 0;
  let hasSomethingToSee = true;
  let lastInput = Date.now();
  let lastTyped = 0;
  let hiddenSince = 0;

  const find = (selector, within = document) => within.querySelector(selector);
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const answerBox = () => find("[data-reply] textarea");

  document.addEventListener("DOMContentLoaded", () => {
    place = find("#ticket-live");
    if (!place) return;
    seenVersion = Number(place.dataset.version);
    tellTimes();
    for (const kind of ["keydown", "pointerdown"]) document.addEventListener(kind, () => (lastInput = Date.now()), { passive: true });
    document.addEventListener("input", (event) => event.target === answerBox() && (lastTyped = Date.now()));
    document.addEventListener("visibilitychange", () => {
      hiddenSince = document.hidden ? Date.now() : 0;
      if (!document.hidden) ask();
    });
    document.addEventListener("ticket:changed", ({ detail }) => {
      renewed = detail?.part ?? renewed;
      ask();
    });
    addEventListener("pagehide", leave);
    addEventListener("pageshow", (event) => event.persisted && ask());
    ask();
  });

  // --- asking -------------------------------------------------------------------------------------------------------

  async function ask() {
    if (isAsking) {
      isStale = true;
      return;
    }
    isAsking = true;
    isStale = false;
    clearTimeout(timer);
    try {
      const form = new FormData();
      if (isWriting()) form.set("writing", "1");
      if (hasSomethingToSee && !document.hidden) form.set("seen", "1");
      const { version, here } = await Console.send(place.dataset.liveUrl, { form });
      if (form.has("seen")) hasSomethingToSee = false;
      showColleagues(here);
      if (version !== seenVersion) await showNews();
      failures = 0;
      say("[data-lost-note]", "");
    } catch (error) {
      failures += 1;
      if (error.status === 401 || error.status === 403 || error.status === 404) say("[data-lost-note]", error.detail);
      else if (failures > 2) say("[data-lost-note]", place.dataset.lost);
    } finally {
      isAsking = false;
      const wait = isStale ? 1 : waitingTime();
      if (wait) timer = setTimeout(ask, wait);
    }
  }

  function waitingTime() {
    if (hiddenSince && Date.now() - hiddenSince > STOP_AFTER) return 0; // until somebody looks again
    const isQuiet = document.hidden || Date.now() - lastInput > IDLE_AFTER;
    return Math.min((isQuiet ? SELDOM : OFTEN) * 2 ** Math.min(failures, 6), LONGEST_WAIT);
  }

  function isWriting() {
    return Boolean(answerBox()?.value.trim()) && Date.now() - lastTyped < WRITING_FOR;
  }

  function leave() {
    const form = new FormData();
    form.set("leaving", "1");
    form.set("csrfmiddlewaretoken", Console.csrfToken());
    navigator.sendBeacon(place.dataset.liveUrl, form);
  }

  // --- what is new --------------------------------------------------------------------------------------------------

  function showColleagues(here) {
    const list = find("[data-here]", place);
    const shown = all("li", list).map((item) => item.textContent);
    if (shown.join("\n") === here.map(({ text }) => text).join("\n")) return; // nothing for a screen reader to repeat
    list.replaceChildren(...here.map(({ text, writing }) => {
      const item = Console.element("li", text);
      item.classList.toggle("is-writing", writing);
      return item;
    }));
  }

  async function showNews() {
    const { version, title, told, html } = await Console.send(`${place.dataset.newsUrl}?version=${seenVersion}`);
    const fresh = new DOMParser().parseFromString(html, "text/html");
    showTitle(title);
    showEntries(fresh);
    for (const part of all("[data-live]", fresh)) replacePart(part);
    const agrees = showFields(fresh);
    const field = find("#id_version");
    if (agrees && field) field.value = version; // else saving says once more what a colleague has changed
    seenVersion = version;
    hasSomethingToSee = true;
    tell(told);
    tellTimes();
    document.dispatchEvent(new CustomEvent("ticket:shown", { detail: { version } }));
  }

  function showTitle(title) {
    const heading = find(".console-title");
    if (!heading || heading.textContent.trim() === title) return;
    document.title = document.title.replace(heading.textContent.trim(), () => title);
    heading.textContent = title;
  }

  function showEntries(fresh) {
    const thread = find("#ticket-thread");
    const newest = find("#ticket-thread", fresh);
    if (!thread || "older" in thread.dataset) return; // an older part of the conversation is on show
    let previous = null;
    for (const entry of newest.children) {
      const present = entry.id && find(`#${CSS.escape(entry.id)}`, thread);
      if (present && present.dataset.revision !== entry.dataset.revision && !present.contains(document.activeElement)) present.replaceWith(document.adoptNode(entry.cloneNode(true)));
      else if (!present && entry.id) {
        const added = document.adoptNode(entry.cloneNode(true));
        added.classList.add("is-new");
        if (previous) previous.after(added);
        else thread.append(added);
      }
      if (entry.id) previous = find(`#${CSS.escape(entry.id)}`, thread);
    }
    removeGone(thread, newest);
  }

  // A merge taken back takes entries away. Where the newest part is not all, what is before its first entry stays.
  function removeGone(thread, newest) {
    const ids = all(".thread-entry[id]", newest).map(({ id }) => id);
    const comments = all(".thread-entry[id]", thread).slice(1); // behind the description
    const first = find(".thread-earlier", newest) ? comments.findIndex(({ id }) => ids.includes(id)) : 0;
    for (const entry of first < 0 ? [] : comments.slice(first)) {
      if (!ids.includes(entry.id) && !entry.contains(document.activeElement)) entry.remove();
    }
  }

  function replacePart(part) {
    const shown = document.getElementById(part.id);
    const focused = shown?.contains(document.activeElement) ? document.activeElement : null;
    const isInUse = focused || (shown && all("input:not([type=hidden])", shown).some((input) => input.value));
    if (!shown || (isInUse && part.id !== renewed)) return;
    if (part.id === renewed) renewed = "";
    const added = document.adoptNode(part);
    shown.replaceWith(added);
    window.htmx?.process(added);
    if (focused) (all("a, button, input", added).find((each) => each.id === focused.id && each.value === focused.value) ?? find("h2", added))?.focus();
  }

  // Untouched fields take what is stored now. Of a touched one that a colleague has set to something else too, this
  // tells, and returns false.
  function showFields(fresh) {
    const within = find("#ticket-properties");
    if (!within) return true;
    let agrees = true;
    for (const control of all("select[name], textarea[name], input[name]:not([type=hidden])", find("#ticket-properties", fresh))) {
      const shown = all(`[name="${CSS.escape(control.name)}"]`, within).find((each) => each.type !== "hidden");
      const began = find(`input[type=hidden][name="initial-${CSS.escape(control.name)}"]`, within);
      if (!shown || !began) continue;
      const isTouched = shown.value !== began.value;
      const isSame = shown.value === control.value;
      if (began.value === control.value && !(shown.tagName === "SELECT" && !isTouched)) continue;
      if (isTouched && !isSame) {
        agrees = false;
        tellConflict(shown, control);
        continue;
      }
      forgetConflict(shown);
      if (shown.tagName === "SELECT") shown.replaceChildren(...control.cloneNode(true).children); // what can be chosen changes too
      shown.value = control.value;
      began.value = control.value;
    }
    return agrees;
  }

  function tellConflict(shown, control) {
    const note = find("template[data-conflict]", place).content.firstElementChild.cloneNode(true);
    const value = control.tagName === "SELECT" ? control.selectedOptions[0]?.textContent : control.value;
    find("[data-value]", note).textContent = `“${value || "–"}”`;
    forgetConflict(shown);
    frameOf(shown).append(note);
  }

  function forgetConflict(shown) {
    find(".live-conflict", frameOf(shown))?.remove();
  }

  function frameOf(control) {
    return control.closest(".group") ?? control.parentElement;
  }

  function tell(lines) {
    const list = find("[data-news]");
    if (!list) return;
    list.append(...lines.map((line) => Console.element("li", line)));
    while (list.children.length > NEWS_KEPT) list.firstElementChild.remove();
  }

  function tellTimes() {
    const format = new Intl.RelativeTimeFormat(document.documentElement.lang || "en", { numeric: "always" });
    for (const time of all("#ticket-thread time, #ticket-head time")) {
      const minutes = Math.floor((Date.now() - new Date(time.dateTime)) / (60 * SECOND));
      if (minutes < 1) continue;
      const [amount, unit] = [[minutes, "minute"], [minutes / 60, "hour"], [minutes / 1440, "day"], [minutes / 10080, "week"], [minutes / 43830, "month"], [minutes / 525960, "year"]].filter(([count]) => count >= 1).at(-1);
      time.textContent = format.format(-Math.floor(amount), unit);
    }
  }
  setInterval(() => place && !document.hidden && tellTimes(), 60 * SECOND);

  // --- followers, and copying ---------------------------------------------------------------------------------------

  document.addEventListener("submit", async (event) => {
    if (event.target.id !== "people_form") return;
    event.preventDefault();
    const form = new FormData(event.target, event.submitter);
    say("[data-people-error]", "");
    try {
      await Console.send(event.target.getAttribute("action"), { form });
      const address = find("#id_follower_email");
      if (address) address.value = "";
      document.dispatchEvent(new CustomEvent("ticket:changed", { detail: { part: "ticket-people" } }));
    } catch (error) {
      const text = Object.values(error.errors).join("; ") || error.detail;
      say("[data-people-error]", `${text.charAt(0).toLocaleUpperCase()}${text.slice(1)}`);
    }
  });

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const { copy } = button.dataset;
    await copyText(copy.startsWith("/") ? new URL(copy, location.href).href : copy);
    button.classList.add("is-copied");
    setTimeout(() => button.classList.remove("is-copied"), 2 * SECOND);
    say("[data-say]", "");
    requestAnimationFrame(() => say("[data-say]", place.dataset.copied));
  });

  async function copyText(text) {
    if (navigator.clipboard) {
      try {
        await navigator.clipboard.writeText(text);
        return;
      } catch {
        // not allowed here: the old way
      }
    }
    const area = Object.assign(Console.element("textarea", ""), { value: text, className: "sr-only" });
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }

  function say(selector, text) {
    const said = find(selector);
    if (said && said.textContent !== text) said.textContent = text;
  }
})();
