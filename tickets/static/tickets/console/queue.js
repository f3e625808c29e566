"use strict";

// The queue: counts beside the views, "assign to me" on the current row, and changes of many tickets in batches.
// Everything but the counts and the key works without this file, by plain forms.
(() => {
  // --- counts ---------------------------------------------------------------------------------------------------------

  async function showCounts(views) {
    let counts;
    try {
      ({ counts } = await Console.send(views.dataset.counts));
    } catch {
      return; // the views work without them
    }
    const blank = document.querySelector("template[data-count]");
    const links = [...views.querySelectorAll("a"), ...document.querySelectorAll("#nav-sidebar a, #nav-sidebar-apps a")];
    for (const link of new Set(links)) {
      const url = new URL(link.href, location.href);
      if (url.pathname !== location.pathname || counts[url.search] === undefined) continue;
      const count = blank.content.firstElementChild.cloneNode();
      count.textContent = counts[url.search];
      link.append(" ", count);
    }
  }

  // --- assign to me ---------------------------------------------------------------------------------------------------

  function tell(text, ...controls) {
    const told = document.querySelector("[data-told]");
    told.replaceChildren(Object.assign(document.createElement("span"), { textContent: text }), ...controls);
  }

  // The row as the server shows it now; it goes away where the list no longer holds the ticket, and comes back on top.
  async function refresh(id) {
    const response = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (!response.ok) return;
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const find = (root) => root.querySelector(`[data-ticket="${id}"]`)?.closest("tr");
    const [old, now] = [find(document), find(page)];
    if (old && now) {
      old.replaceWith(document.importNode(now, true));
      find(document).querySelector("a").focus();
    } else if (old) {
      const rows = [...document.querySelectorAll(".data-row")];
      const neighbour = rows[rows.indexOf(old) + 1] ?? rows[rows.indexOf(old) - 1];
      old.closest("tbody").remove();
      neighbour?.querySelector("a[href]")?.focus();
    } else if (now) {
      document.querySelector("#result_list tbody")?.before(document.importNode(now.closest("tbody"), true));
      find(document).querySelector("a").focus();
    }
  }

  async function assignToMe(row) {
    const id = row?.querySelector("[data-ticket]")?.dataset.ticket;
    if (!id) return;
    const form = new FormData();
    form.set("assigned_to", "me");
    form.set("tickets", id);
    try {
      const answer = await Console.send(document.querySelector("[data-apply]").dataset.apply, { form });
      const undo = document.querySelector("[data-told-undo]").content.firstElementChild.cloneNode(true);
      undo.addEventListener("click", async () => {
        try {
          await Console.send(answer.undo_url, { form: new FormData() });
          tell(document.querySelector("[data-told-undone]").content.textContent);
          await refresh(id);
        } catch (error) {
          tell(error.detail ?? String(error));
        }
      });
      const [{ changed, text }] = answer.tickets;
      tell(text, ...(changed ? [undo] : []));
      await refresh(id);
    } catch (error) {
      tell(error.detail ?? String(error));
    }
  }

  document.addEventListener("console:assign-to-me", (event) => assignToMe(event.detail.row));

  // --- changes of many tickets ----------------------------------------------------------------------------------------

  const TRIES = 4;

  // A batch may be sent again: the server keeps what is done and does nothing twice.
  async function persistently(url, form) {
    for (let attempt = 1; ; attempt++) {
      try {
        return await Console.send(url, { form });
      } catch (error) {
        const passing = error.status === 0 || error.status === 429 || error.status >= 500;
        if (!passing || attempt === TRIES) throw error;
        await new Promise((resume) => setTimeout(resume, 500 * 2 ** attempt));
      }
    }
  }

  const begun = new WeakMap(); // by form, how far its change has come: what was interrupted goes on, and begins no other

  async function* changed(form, size) {
    const tickets = form.elements.tickets.value.split(",");
    if (!begun.has(form)) {
      const begin = new FormData(form);
      begin.set("tickets", "");
      begun.set(form, { ...(await persistently(form.action, begin)), done: 0 });
    }
    const change = begun.get(form);
    yield change;
    while (change.done < tickets.length) {
      const batch = new FormData();
      batch.set("bulk", change.bulk);
      batch.set("tickets", tickets.slice(change.done, change.done + size).join(","));
      await persistently(form.action, batch);
      change.done = Math.min(change.done + size, tickets.length);
      yield change;
    }
  }

  async function* undone(form, size) {
    const total = Number(form.dataset.total);
    for (let left = total; left > 0; ) {
      const batch = new FormData();
      batch.set("limit", size);
      const answer = await persistently(form.action, batch);
      left = answer.left;
      yield { done: total - left, url: answer.url };
    }
  }

  async function work(form) {
    const progress = form.querySelector("[data-progress]");
    const bar = progress.querySelector("progress");
    const told = progress.querySelector("[data-done]");
    const problem = form.querySelector("[data-problem]");
    const button = form.querySelector("[type=submit]");
    const size = Number(form.dataset.batches);
    let stopped = false;
    let result = "";
    progress.querySelector("[data-stop]").addEventListener("click", () => (stopped = true), { once: true });
    button.disabled = true;
    progress.hidden = false;
    problem.hidden = true;
    try {
      for await (const { done, url } of form.elements.tickets ? changed(form, size) : undone(form, size)) {
        result = url;
        bar.value = done;
        told.textContent = told.dataset.text.replace("{done}", done).replace("{total}", bar.max);
        if (stopped) break;
      }
      location.assign(result);
    } catch (error) {
      const reached = result && Object.assign(document.createElement("a"), { href: result, className: "console-link", textContent: told.textContent });
      problem.replaceChildren(...[error.detail ?? String(error), reached && " ", reached].filter(Boolean));
      problem.hidden = false;
      progress.hidden = true;
      button.textContent = progress.dataset.goOn;
      button.disabled = false;
    }
  }

  document.addEventListener("submit", (event) => {
    if (!event.target.matches("form[data-batches]")) return;
    event.preventDefault();
    work(event.target);
  });

  document.addEventListener("DOMContentLoaded", () => {
    const views = document.querySelector("[data-counts]");
    // Where the views are one line to scroll, the current one is in sight.
    if (views) showCounts(views).then(() => views.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest" }));
    document.querySelector("[data-focus]")?.focus();
  });
})();
