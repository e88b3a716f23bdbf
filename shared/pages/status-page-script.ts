/**
 * Keeps the page live: reads the page again each second and changes only what differs, so that selection, scrolling and a
 * screen reader's place stay where they are. Everything that it shows was escaped on the server.
 */
export const STATUS_PAGE_SCRIPT: string = `
(() => {
  const everyMs = 1000;
  const link = document.getElementById("link");
  const say = (text) => { if (link.textContent !== text) link.textContent = text; };
  const morph = (from, to) => {
    if (from.nodeType !== to.nodeType || from.nodeName !== to.nodeName) {
      from.replaceWith(to.cloneNode(true));
      return;
    }
    if (from.nodeType === Node.TEXT_NODE) {
      if (from.data !== to.data) from.data = to.data;
      return;
    }
    for (const { name } of [...from.attributes]) if (!to.hasAttribute(name)) from.removeAttribute(name);
    for (const { name, value } of to.attributes) if (from.getAttribute(name) !== value) from.setAttribute(name, value);
    const before = [...from.childNodes];
    const after = [...to.childNodes];
    for (let i = 0; i < Math.max(before.length, after.length); i++) {
      if (after[i] === undefined) before[i].remove();
      else if (before[i] === undefined) from.append(after[i].cloneNode(true));
      else morph(before[i], after[i]);
    }
  };
  const refresh = async () => {
    if (document.hidden) return;
    try {
      const response = await fetch(location.href, { cache: "no-store", signal: AbortSignal.timeout(5000) });
      if (!response.ok) throw new Error("status " + response.status);
      const text = await response.text();
      // the fresh style carries another nonce, which this page's policy would report each time
      const body = text.slice(text.indexOf("<body>"), text.indexOf("<footer"));
      const fresh = new DOMParser().parseFromString(body, "text/html");
      morph(document.querySelector("main"), fresh.querySelector("main"));
      morph(document.getElementById("summary"), fresh.getElementById("summary"));
      document.title = document.getElementById("summary").textContent + " - Isthmus";
      say("");
    } catch {
      say("This page lost its connection to Isthmus and shows the last state it knew. It keeps trying.");
    }
  };
  const loop = async () => {
    await refresh();
    setTimeout(loop, everyMs);
  };
  document.addEventListener("visibilitychange", refresh);
  setTimeout(loop, everyMs);
})();
`;
