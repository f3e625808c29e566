"use strict";

// What this browser keeps of an answer. The text is the second net, for what the server has not got. The kind stays in
// this tab: a note follows a note until somebody chooses the reply, also after a reload, because a public answer sent by
// mistake is worse than a note; the reply is never kept. Storage may be full or off; then there is one net.
window.KeptInBrowser = (key) => {
  const attempt = (work) => {
    try {
      return work();
    } catch {
      return null;
    }
  };

  return {
    keep: (text) => attempt(() => localStorage.setItem(`draft:${key}`, JSON.stringify(text))),
    kept: () => attempt(() => JSON.parse(localStorage.getItem(`draft:${key}`))),
    forget: () => attempt(() => localStorage.removeItem(`draft:${key}`)),
    keepKind: (kind) => attempt(() => (kind === "internal" ? sessionStorage.setItem(`kind:${key}`, kind) : sessionStorage.removeItem(`kind:${key}`))),
    keptKind: () => attempt(() => sessionStorage.getItem(`kind:${key}`)),
  };
};
