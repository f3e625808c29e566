"use strict";

// What scripts send to the console, and what they are told: Console.send(url, {method, json, form, keepalive, signal}).
// Resolves to the parsed answer. Rejects with an Error of .status (0: not reached), .detail, .errors ({field: message})
// and .data (all members). `json` is an object, `form` a FormData; either makes it a POST.
window.Console = {
  async send(url, { method, json, form, ...options } = {}) {
    const headers = { "X-Requested-With": "fetch", "X-CSRFToken": Console.csrfToken(), Accept: "application/json" };
    if (json !== undefined) headers["Content-Type"] = "application/json";
    const body = json === undefined ? form : JSON.stringify(json);
    let response;
    try {
      response = await fetch(url, { ...options, method: method ?? (body ? "POST" : "GET"), headers, body });
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw Console.error(0, { detail: Console.text("unreachable") });
    }
    const isJson = /[/+]json/.test(response.headers.get("Content-Type") ?? "");
    const data = isJson ? await response.json() : {};
    if (!response.ok || !isJson) throw Console.error(response.status, data);
    return data;
  },

  // The cookie's, because signing in again in another tab makes the one in this page's forms stale.
  csrfToken() {
    return document.cookie.match(/(?:^|; )csrftoken=([^;]+)/)?.[1] ?? "";
  },

  error(status, data) {
    const detail = data.detail ?? Console.text(status === 403 ? "reload" : "failed");
    return Object.assign(new Error(detail), { status, detail, errors: data.errors ?? {}, data });
  },

  // A new element of the page, with a text.
  element(name, text) {
    return Object.assign(document.createElement(name), { textContent: text });
  },

  // The texts that scripts say of their own, from the page's <template data-console-texts>.
  text(name) {
    return document.querySelector("[data-console-texts]")?.dataset[name] ?? "";
  },
};
