"use strict";

// The box in which agents answer; its files and canned replies have scripts of their own. What is typed is saved as a
// draft on the server a second after the last key, and kept in this browser until the server has it. Sending waits some
// seconds, in which it can be taken back; what this page does not send then, the server's job does.
(() => {
  const SAVE_AFTER = 1000;
  const TICK = 250;
  const RETRY_AFTER = 5000;
  const MOST_DOUBLINGS = 6; // of SAVE_AFTER, while nothing can be saved

  let box; // the element around all of it
  let form;
  let text;
  let files;
  let preview;
  let browser; // what it keeps
  let draftVersion = 0;
  let isDirty = false;
  let isRefused = false; // until something else is typed: it stays in the box and in this browser
  let failures = 0;
  let saving = null;
  let saveTimer = 0;
  let other = null; // another version of the text, which its writer has to look at first
  let isLeaving = false;
  let lastSubmitter = null;
  let waitingTimer = 0;

  const find = (selector, within = box) => within.querySelector(selector);
  const isIdle = () => !isDirty && !saving && !other && !find("[data-box]").disabled;
  const kind = () => find('[name="visibility"]:checked').value;
  const say = (name, detail = "") => (find("[data-status]").textContent = [name && box.dataset[name], detail].filter(Boolean).join(" "));
  const refuse = (detail) => (find("[data-refused]").textContent = detail);

  document.addEventListener("DOMContentLoaded", () => {
    listenToDiscard();
    box = document.querySelector("[data-reply]");
    if (!box) return;
    form = box.closest("form");
    text = find("textarea[name=reply]");
    draftVersion = Number(box.dataset.draftVersion);
    for (const button of box.querySelectorAll("[data-canned-open], [data-preview-toggle], [data-drop-hint], [data-upload-remove]")) button.hidden = false;
    box.addEventListener("input", ({ target }) => {
      if (target.name === "visibility") browser.keepKind(kind());
      if (target === text || target.name === "visibility") changed();
    });
    form.addEventListener("submit", onSubmit);
    addEventListener("pagehide", leave);
    addEventListener("online", () => isDirty && save());
    addEventListener("pageshow", (event) => event.persisted && refresh());
    document.addEventListener("visibilitychange", () => document.hidden || (isDirty ? save() : refresh()));
    document.addEventListener("console:reply", () => write("public"));
    document.addEventListener("console:note", () => write("internal"));
    document.addEventListener("ticket:shown", showWhetherClosed);
    browser = KeptInBrowser(box.dataset.key);
    files = AnswerFiles(box, changed);
    preview = AnswerPreview(box, content, refuse);
    CannedReplies(box, insert);
    find("[data-undo]").addEventListener("click", undo);
    find("[data-now]").addEventListener("click", sendNow);
    find("[data-send-anyway]").addEventListener("click", () => send(lastSubmitter));
    find("[data-other-swap]").addEventListener("click", swap);
    find("[data-other-drop]").addEventListener("click", () => settle());
    document.addEventListener("click", (event) => {
      const menu = find(".reply-menu");
      if (menu.open && !menu.contains(event.target)) menu.open = false;
    });
    find(".reply-menu").addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.currentTarget.open = false;
      find("summary", event.currentTarget).focus();
    });
    if (!draftVersion && !text.value && browser.keptKind() === "internal") show({ body: "", visibility: "internal" });
    if (box.dataset.sendIn) wait(Number(box.dataset.sendIn));
    else if ("typed" in box.dataset) changed();
    else restore();
    refresh();
  });

  function write(visibility) {
    if (find("[data-box]").disabled) return;
    find(`[name="visibility"][value="${visibility}"]`).checked = true;
    browser.keepKind(kind());
    preview.leave();
    text.focus();
  }

  // What is typed when a colleague closes the ticket can still be read and copied, and stays the draft.
  function showWhetherClosed() {
    const isClosed = document.querySelector("#ticket-closed").childElementCount > 0;
    box.classList.toggle("is-closed", isClosed);
    box.hidden = isClosed && !text.value.trim() && !find("[name=upload_ids]");
    text.readOnly = isClosed;
    if (isClosed) preview.leave();
    if (isClosed && isDirty) save();
  }

  function insert(words) {
    preview.leave();
    text.setRangeText(words, text.selectionStart, text.selectionEnd, "end");
    text.focus();
    changed();
  }

  // --- the draft ----------------------------------------------------------------------------------------------------

  function changed() {
    isDirty = true;
    isRefused = false;
    keep();
    saveSoon();
  }

  function saveSoon() {
    clearTimeout(saveTimer);
    saveTimer = setTimeout(save, SAVE_AFTER * 2 ** Math.min(failures, MOST_DOUBLINGS));
  }

  function content() {
    const data = new FormData();
    data.set("reply", text.value);
    data.set("visibility", kind());
    for (const { value } of box.querySelectorAll("[name=upload_ids]")) data.append("upload_ids", value);
    data.set("draft_version", draftVersion);
    return data;
  }

  async function save() {
    clearTimeout(saveTimer);
    if (saving) return saving.then(() => isDirty && save());
    if (!isDirty || isRefused || other || find("[data-box]").disabled) return;
    isDirty = false;
    saving = store();
    await saving;
    saving = null;
    if (isDirty && !isRefused) saveSoon();
  }

  async function store() {
    try {
      const { draft } = await Console.send(box.dataset.draftUrl, { form: content() });
      draftVersion = draft.version;
      failures = 0;
      if (isDirty) keep();
      else browser.forget();
      say(text.value ? "textSaved" : "");
    } catch (error) {
      if (error.status === 412) return showOther(error.data.draft);
      isRefused = !isPassing(error) && !isDirty; // what was typed meanwhile may be taken
      isDirty = true;
      failures += 1;
      say("textKept", error.detail);
    }
  }

  function isPassing({ status }) {
    return !status || status >= 500 || status === 401 || status === 429;
  }

  // The page may be older than the draft: it was made while a save was on its way, or another window has written since.
  async function refresh() {
    let draft;
    try {
      ({ draft } = await Console.send(box.dataset.draftUrl));
    } catch {
      return; // saving tells it
    }
    if (draft.version !== draftVersion && isIdle()) adopt(draft);
    else files.name(draft.files);
  }

  function adopt(draft) {
    draftVersion = draft.version;
    show(draft);
    files.show(draft.files);
    if (draft.send_in !== null) wait(draft.send_in);
  }

  function listenToDiscard() {
    const button = document.querySelector("[data-discard]");
    if (!button) return;
    button.hidden = false;
    button.addEventListener("click", async () => {
      const data = new FormData();
      data.set("draft_version", button.dataset.version);
      try {
        const { draft } = await Console.send(button.dataset.discard, { form: data });
        if (draftVersion === Number(button.dataset.version)) draftVersion = draft.version;
        button.closest("[data-reply-problem]").remove();
        text?.focus();
      } catch (error) {
        button.after(Console.element("span", error.detail));
      }
    });
  }

  function keep() {
    browser.keep({ body: text.value, visibility: kind(), version: draftVersion, other });
  }

  function leave() {
    if (!isDirty || isLeaving || other || find("[data-box]").disabled) return;
    const data = content();
    data.set("csrfmiddlewaretoken", Console.csrfToken());
    navigator.sendBeacon(box.dataset.draftUrl, data); // what this does not bring there is still in this browser
  }

  // Beside the server's text there can be two in this browser, where its writer had not decided between them.
  function restore() {
    const kept = browser.kept();
    if (!kept) return;
    const mine = [kept, kept.other].filter((each) => each?.body?.trim() && each.body !== text.value);
    if (!mine.length) return browser.forget();
    const isNewer = kept.version === draftVersion || !text.value.trim();
    if (mine.length === 1 && !(isNewer && mine[0] === kept && !kept.other)) return showOther({ ...mine[0], version: draftVersion });
    const second = mine[1] && { ...mine[1], body: isNewer ? mine[1].body : `${text.value}\n\n${mine[1].body}` };
    show(kept);
    if (second) return showOther({ ...second, version: draftVersion });
    changed();
    say("textRestored");
  }

  function show({ body, visibility }) {
    text.value = body;
    const chosen = find(`[name="visibility"][value="${visibility}"]`);
    if (chosen) chosen.checked = true;
  }

  // --- two versions of the text -------------------------------------------------------------------------------------

  function showOther(found) {
    draftVersion = found.version;
    isDirty = true;
    files.add(found.files ?? []);
    if (!found.body.trim() || found.body === text.value) return changed(); // a save that waited here would wait for itself
    other = found;
    find("[data-other-text]").textContent = found.body;
    find("[data-other]").hidden = false;
  }

  function swap() {
    const mine = { body: text.value, visibility: kind() };
    show(other);
    other = mine;
    find("[data-other-text]").textContent = mine.body;
    keep();
    text.focus();
  }

  function settle() {
    other = null;
    find("[data-other]").hidden = true;
    text.focus();
    changed();
  }

  // --- sending ------------------------------------------------------------------------------------------------------

  function onSubmit(event) {
    const { submitter } = event;
    if (submitter && !box.contains(submitter)) {
      if (files.areArriving()) {
        event.preventDefault();
        refuse(box.dataset.textArriving);
        return find("[data-refused]").scrollIntoView({ block: "nearest" });
      }
      isLeaving = true; // the server keeps what is posted, unless another window's text is there
      find('[name="draft_version"]').value = other ? 0 : draftVersion;
      return;
    }
    event.preventDefault();
    send(submitter);
  }

  async function send(submitter) {
    if (text.readOnly) return;
    lastSubmitter = submitter;
    refuse("");
    find(".reply-menu").open = false;
    if (files.areArriving()) return refuse(box.dataset.textArriving);
    if (files.haveFailed()) return refuse(box.dataset.textFailed);
    if (other) return refuseUndecided();
    clearTimeout(saveTimer);
    await saving;
    if (other) return refuseUndecided();
    const data = new FormData(form);
    data.delete("attachments"); // they have arrived already
    data.set("draft_version", draftVersion);
    if (submitter?.name) data.set(submitter.name, submitter.value);
    find("[data-send]").disabled = true;
    try {
      const answer = await Console.send(box.dataset.sendUrl, { form: data });
      draftVersion = answer.draft.version;
      isDirty = false;
      find("[data-stale]").hidden = true;
      browser.forget();
      if (answer.draft.send_in === null) tellSent(answer);
      else wait(answer.draft.send_in);
    } catch (error) {
      tellRefusal(error);
    } finally {
      find("[data-send]").disabled = false;
    }
  }

  function refuseUndecided() {
    refuse(box.dataset.textUndecided);
    find("[data-other-drop]").focus();
  }

  function tellRefusal(error) {
    if (error.data?.draft) draftVersion = error.data.draft.version;
    if (error.data?.told) {
      find("#id_version", form).value = error.data.current_version;
      find("[data-stale-told]").replaceChildren(...error.data.told.map((line) => Console.element("li", line)));
      find("[data-stale]").hidden = false;
      find("[data-send-anyway]").focus();
      document.dispatchEvent(new CustomEvent("ticket:changed"));
      return;
    }
    refuse(error.detail);
    if (error.status === 412 && error.data.draft) return showOther(error.data.draft);
    changed();
  }

  function wait(seconds) {
    const end = performance.now() + seconds * 1000;
    const waiting = find("[data-waiting]");
    preview.leave();
    find("[data-box]").disabled = true;
    find("[data-box]").hidden = true;
    waiting.hidden = false;
    find("[data-waiting-text]").textContent = text.value.slice(0, 200);
    find("[data-waiting-said]").textContent = find("[data-say-waiting]").content.textContent;
    find("[data-waiting-said]").classList.add("sr-only");
    find("[data-undo]").focus();
    const tick = () => {
      const left = Math.max(0, Math.ceil((end - performance.now()) / 1000));
      find("[data-seconds]").textContent = left;
      if (left === 0) sendNow();
    };
    clearInterval(waitingTimer);
    waitingTimer = setInterval(tick, TICK);
    tick();
  }

  function stopWaiting() {
    clearInterval(waitingTimer);
    find("[data-box]").disabled = false;
    find("[data-box]").hidden = false;
    find("[data-waiting]").hidden = true;
    text.focus();
  }

  async function undo() {
    clearInterval(waitingTimer);
    try {
      const { draft } = await Console.send(box.dataset.undoUrl, { method: "POST" });
      draftVersion = draft.version;
      stopWaiting();
      say("textUndone");
    } catch (error) {
      if (error.data?.code === "already_sent") return settledElsewhere(error.data.draft, "textLate");
      find("[data-waiting-said]").textContent = error.detail;
      find("[data-waiting-said]").classList.remove("sr-only");
      waitingTimer = setInterval(sendNow, RETRY_AFTER);
    }
  }

  async function sendNow() {
    clearInterval(waitingTimer);
    try {
      tellSent(await Console.send(box.dataset.sendNowUrl, { method: "POST" }));
    } catch (error) {
      if (error.data?.code === "already_sent") return settledElsewhere(error.data.draft, "textSent");
      if (isPassing(error)) {
        find("[data-waiting-said]").textContent = `${box.dataset.textLater} ${error.detail}`;
        find("[data-waiting-said]").classList.remove("sr-only");
        waitingTimer = setInterval(sendNow, RETRY_AFTER);
        return;
      }
      stopWaiting();
      tellRefusal(error);
    }
  }

  function tellSent({ draft, page }) {
    if (page) {
      location.assign(page);
      return;
    }
    done("textSent");
    draftVersion = draft.version;
    refuse(draft.problem);
  }

  // Another window has taken it back or sent it, or the server's job has sent it, or could not.
  function settledElsewhere(draft, name) {
    if (!draft.body.trim() && !draft.files.length) {
      done(name);
      return refuse(draft.problem);
    }
    stopWaiting();
    adopt(draft);
    say(draft.problem ? "" : "textUndone");
    refuse(draft.problem);
  }

  function done(name) {
    text.value = "";
    files.show([]);
    draftVersion = 0;
    isDirty = false;
    browser.forget();
    stopWaiting();
    document.querySelector("[data-reply-problem]")?.remove();
    say(name);
    document.dispatchEvent(new CustomEvent("ticket:changed"));
  }
})();
