// The reference page: language, search, and calls to the API that serves the page.
(() => {
  "use strict";
  const root = document.documentElement;
  const page = document.querySelector(".reference");
  const find = document.getElementById("find");
  const found = document.getElementById("found");
  const switcher = document.getElementById("language");
  const sections = [...page.querySelectorAll("section")];
  const groups = [...page.querySelectorAll(".group")];
  const links = new Map([...page.querySelectorAll("nav a")].map((link) => [link.hash.slice(1), link]));
  const ahead = Date.parse(page.dataset.now) - Date.now() || 0;
  const WORDS = {
    en: {
      none: "Nothing matches",
      some: (count) => `${count} of ${sections.length}`,
      sending: "Sending …",
      failed: "No answer: ",
      body: "The body is not JSON: ",
      kept: "The token of this answer is used from now on, in this tab.",
      empty: "(no body)",
    },
    zh: {
      none: "没有匹配的内容",
      some: (count) => `${count} / ${sections.length}`,
      sending: "发送中……",
      failed: "没有响应：",
      body: "请求内容不是 JSON：",
      kept: "此后在本标签页中使用该响应里的令牌。",
      empty: "（无内容）",
    },
  };
  const SHOWN = [
    "content-type", "idempotent-replayed", "etag", "view-ticket", "www-authenticate", "retry-after", "location",
    "apigw-requestid",
  ];

  const kept = (store, name) => { try { return store.getItem(name); } catch { return null; } };
  const keep = (store, name, value) => { try { store.setItem(name, value); } catch { /* a private window */ } };
  const chinese = () => root.lang.startsWith("zh");
  const words = () => WORDS[chinese() ? "zh" : "en"];

  function speak(language) {
    root.lang = language === "zh" ? "zh-CN" : "en";
    for (const field of page.querySelectorAll("[data-zh]")) {
      const text = chinese() ? field.dataset.zh : field.dataset.en;
      field.setAttribute(field.tagName === "NAV" ? "aria-label" : "placeholder", text);
      if (field === find) field.setAttribute("aria-label", text);
    }
    tell();
  }

  const matches = { count: null };
  function tell() {
    found.textContent = matches.count === null ? "" : matches.count ? words().some(matches.count) : words().none;
  }

  function search() {
    const terms = find.value.toLowerCase().split(/\s+/).filter(Boolean);
    matches.count = terms.length ? 0 : null;
    for (const section of sections) {
      const hit = terms.every((term) => section.dataset.find.includes(term));
      section.hidden = !hit;
      const link = links.get(section.id);
      if (link) link.hidden = !hit;
      if (hit && terms.length) matches.count += 1;
    }
    for (const group of groups) group.hidden = terms.length > 0 && !group.querySelector("section:not([hidden])");
    for (const part of page.querySelectorAll("nav details details")) {
      const hits = part.querySelectorAll("a:not([hidden])").length;
      part.hidden = terms.length > 0 && hits === 0;
      part.open = terms.length > 0 && hits > 0;
    }
    page.classList.toggle("searching", terms.length > 0);
    tell();
  }

  function step(back) {
    const hits = sections.filter((section) => !section.hidden);
    if (!hits.length) return;
    const at = hits.indexOf(hits.find((section) => section.classList.contains("current")));
    const next = hits[at < 0 ? 0 : (at + (back ? -1 : 1) + hits.length) % hits.length];
    for (const section of sections) section.classList.toggle("current", section === next);
    next.scrollIntoView({ block: "start" });
  }

  const uuid = () => (crypto.randomUUID ? crypto.randomUUID() : `${Date.now()}-${Math.random().toString(36).slice(2)}`);
  const bytes = (text) => new TextEncoder().encode(text);

  async function signed(secret, body) {
    const id = `msg_${uuid()}`;
    const at = String(Math.floor((Date.now() + ahead) / 1000));
    const raw = Uint8Array.from(atob(secret.replace(/^whsec_/, "")), (letter) => letter.charCodeAt(0));
    const key = await crypto.subtle.importKey("raw", raw, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
    const mac = new Uint8Array(await crypto.subtle.sign("HMAC", key, bytes(`${id}.${at}.${body}`)));
    const signature = `v1,${btoa(String.fromCharCode(...mac))}`;
    return { "webhook-id": id, "webhook-timestamp": at, "webhook-signature": signature };
  }

  async function request(form) {
    const { method, path } = form.dataset;
    const query = new URLSearchParams();
    const headers = { "accept-language": chinese() ? "zh-CN" : "en" };
    let address = path;
    let secret = "";
    for (const field of form.querySelectorAll("[data-in]")) {
      const value = field.value.trim();
      if (field.dataset.in === "path") address = address.replace(`{${field.name}}`, encodeURIComponent(value));
      else if (field.dataset.in === "secret") secret = value;
      else if (value && field.dataset.in === "query") query.append(field.name, value);
      else if (value && field.dataset.in === "token") headers.authorization = `Bearer ${value}`;
    }
    const area = form.querySelector("textarea");
    if (area) {
      JSON.parse(area.value);
      headers["content-type"] = "application/json";
      if (secret) Object.assign(headers, await signed(secret, area.value));
    }
    if (method === "POST") headers["idempotency-key"] = uuid();
    const asked = [...query].length ? `${address}?${query}` : address;
    return [asked, { method, headers, body: area ? area.value : undefined, cache: "no-store" }];
  }

  function show(place, status, headers, text) {
    place.replaceChildren();
    const line = document.createElement("p");
    line.textContent = status;
    line.className = /^[23]/.test(status) ? "good" : "bad";
    place.append(line);
    if (headers.length) {
      const list = document.createElement("pre");
      list.className = "quiet";
      list.textContent = headers.map(([name, value]) => `${name}: ${value}`).join("\n");
      place.append(list);
    }
    if (text) {
      const shown = document.createElement("pre");
      shown.textContent = text;
      place.append(shown);
    }
    return place;
  }

  function remember(token) {
    keep(sessionStorage, "token", token);
    for (const field of page.querySelectorAll("[data-in=token]")) field.value = token;
  }

  async function send(form) {
    const place = form.querySelector(".answer");
    let asked;
    show(place, words().sending, [], "").firstChild.className = "quiet";
    try {
      asked = await request(form);
    } catch (error) {
      show(place, words().body + error.message, [], "");
      return;
    }
    try {
      const began = performance.now();
      const answer = await fetch(...asked);
      const text = await answer.text();
      const took = Math.round(performance.now() - began);
      let content = null;
      try { content = JSON.parse(text); } catch { /* a document, or nothing */ }
      const headers = SHOWN.filter((name) => answer.headers.has(name)).map((name) => [name, answer.headers.get(name)]);
      const body = content === null ? text || words().empty : JSON.stringify(content, null, 2);
      show(place, `${answer.status} ${answer.statusText} · ${took} ms`, headers, body);
      const token = answer.ok && content && (content.access_token || (form.dataset.gives === "key" && content.key));
      if (token) {
        remember(token);
        const note = document.createElement("p");
        note.className = "quiet";
        note.textContent = words().kept;
        place.append(note);
      }
    } catch (error) {
      show(place, words().failed + error.message, [], "");
    }
  }

  switcher.addEventListener("click", () => {
    const next = chinese() ? "en" : "zh";
    keep(localStorage, "language", next);
    speak(next);
  });
  find.addEventListener("input", search);
  find.addEventListener("keydown", (event) => {
    if (event.key === "Enter") { event.preventDefault(); step(event.shiftKey); }
    if (event.key === "Escape") { find.value = ""; search(); find.blur(); }
  });
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input, textarea, select");
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      find.focus();
      find.select();
    }
  });
  page.addEventListener("submit", (event) => { event.preventDefault(); send(event.target); });
  page.addEventListener("input", (event) => {
    if (event.target.dataset.in === "token") {
      keep(sessionStorage, "token", event.target.value);
      for (const field of page.querySelectorAll("[data-in=token]")) {
        if (field !== event.target) field.value = event.target.value;
      }
    }
  });
  addEventListener("hashchange", () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (target && target.closest("[hidden]")) { find.value = ""; search(); target.scrollIntoView(); }
  });

  const contents = page.querySelector("nav > details");
  if (matchMedia("(max-width: 50rem)").matches) contents.open = false;
  contents.addEventListener("click", (event) => {
    if (event.target.closest("a") && matchMedia("(max-width: 50rem)").matches) contents.open = false;
  });
  speak(kept(localStorage, "language") || (navigator.language.startsWith("zh") ? "zh" : "en"));
  const token = kept(sessionStorage, "token");
  if (token) remember(token);
  search();
})();
