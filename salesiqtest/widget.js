// The stand-in for the website widget. It implements the functions that the
// specification documents, or with ?surface=official those that the vendor
// publishes for the live widget, and tells the emulator of each call.
(function () {
  "use strict";

  const salesiq = ((window.$zoho ||= {}).salesiq ||= {});
  const loaded = Symbol.for("salesiq emulator");
  if (salesiq[loaded]) {
    return; // The page has loaded it twice.
  }
  salesiq[loaded] = true;
  const address = new URL(document.currentScript.src);
  const base = address.origin + address.pathname;
  const official = address.searchParams.get("surface") === "official";
  const code = salesiq.widgetcode || address.searchParams.get("wc") || "";

  // Talking to the emulator: one request after another, so that calls arrive in
  // the order in which they were made.

  const visitor = visitorKey();
  let queue = Promise.resolve();

  function visitorKey() {
    const name = "salesiq-emulator-visitor";
    const fresh = Array.from(crypto.getRandomValues(new Uint8Array(12)), (n) => n.toString(16).padStart(2, "0")).join("");
    try {
      const known = localStorage.getItem(name) || fresh;
      localStorage.setItem(name, known);
      return known;
    } catch {
      return fresh; // The page may not store anything: each visit is a new visitor.
    }
  }

  // Browsers refuse to keep more than 64 kB alive; a character is up to 3 bytes.
  const mostKeptAlive = 20000;

  // send notes at once what it sends: the page may change its values later.
  async function send(path, values) {
    const body = JSON.stringify({ visitor, code, page: location.href, ...values });
    const answer = queue.then(() => ask(path, {
      method: "POST",
      keepalive: body.length <= mostKeptAlive,
      headers: { "Content-Type": "application/json" },
      body,
    }));
    queue = answer.catch((problem) => console.warn("salesiq emulator:", problem));
    return answer;
  }

  async function ask(path, options) {
    const response = await fetch(base + path, options);
    const answer = response.ok ? await response.json() : {};
    if (!answer.data) { // The live service refuses with status 200.
      throw new Error("the emulator answered " + response.status + " " + JSON.stringify(answer.error));
    }
    return answer.data;
  }

  // Events.

  const handlers = Object.create(null);

  function on(event, handler) {
    (handlers[event] ||= []).push(handler);
  }

  function emit(event, ...values) {
    for (const handler of handlers[event] || []) {
      try {
        handler(...values);
      } catch (problem) {
        console.error(problem);
      }
    }
  }

  // What is on the screen.

  function element(tag, properties, ...children) {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...children);
    return made;
  }

  function icon(path) {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    const shape = document.createElementNS("http://www.w3.org/2000/svg", "path");
    svg.setAttribute("viewBox", "0 0 24 24");
    svg.setAttribute("aria-hidden", "true");
    shape.setAttribute("d", path);
    svg.append(shape);
    return svg;
  }

  function iconButton(name, label, path, action) {
    const button = element("button", { className: name, type: "button", onclick: action });
    draw(button, label, path);
    return button;
  }

  function draw(button, label, path) {
    button.replaceChildren(icon(path));
    button.title = label;
    button.setAttribute("aria-label", label);
  }

  const paths = {
    chat: "M4 4h16a2 2 0 0 1 2 2v9a2 2 0 0 1-2 2h-7l-5 4v-4H4a2 2 0 0 1-2-2V6a2 2 0 0 1 2-2z",
    close: "M6.4 5 12 10.6 17.6 5 19 6.4 13.4 12 19 17.6 17.6 19 12 13.4 6.4 19 5 17.6 10.6 12 5 6.4z",
    minimize: "M5 11h14v2H5z",
    restore: "M6.4 15.4 5 14l7-7 7 7-1.4 1.4L12 9.8z",
    send: "M3 20.5v-6.6l8-1.9-8-1.9V3.5L22 12z",
    attach: "M7.5 18.5a4.5 4.5 0 0 1-3.2-7.7l7.6-7.6a3.4 3.4 0 0 1 4.8 4.8l-7.1 7.1a2 2 0 0 1-2.9-2.8l6.4-6.4 1.3 1.3-6.4 6.4c-.1.1-.1.2 0 .3s.2.1.3 0l7.1-7.1a1.5 1.5 0 0 0-2.2-2.2l-7.6 7.6a2.7 2.7 0 0 0 3.8 3.8l7.6-7.6 1.3 1.3-7.6 7.6a4.5 4.5 0 0 1-3.2 1.2z",
  };

  const initial = element("span", { className: "initial" });
  const title = element("strong", { className: "title" }, "Chat");
  const subtitle = element("span", { className: "subtitle" });
  const fold = iconButton("minimize", "Minimize", paths.minimize, (event) => {
    event.stopPropagation();
    show(state() === "minimized" ? "open" : "minimized", true);
  });
  const header = element("header", { onclick: () => state() === "minimized" && show("open", true) },
    initial, element("div", { className: "names" }, title, subtitle), fold,
    iconButton("close", "Close", paths.close, (event) => {
      event.stopPropagation();
      show("closed", true);
    }));
  const offline = element("p", { className: "offline", hidden: true }, "Nobody is here right now. Leave a message, and we will get back to you.");
  const greeting = element("p", { className: "message operator greeting", hidden: true });
  const list = element("div", { className: "list" });
  const typing = element("p", { className: "typing", hidden: true });
  const log = element("div", { className: "log" }, offline, greeting, list, typing);
  log.setAttribute("role", "log");
  log.setAttribute("aria-live", "polite");
  const input = element("textarea", { rows: 1, placeholder: "Write a message…", maxLength: 4000 });
  input.setAttribute("aria-label", "Message");
  const chooser = element("input", { type: "file", hidden: true, onchange: () => attach(chooser) });
  const clip = iconButton("clip", "Attach a file", paths.attach, () => chooser.click());
  clip.hidden = true; // Unless there is a bot.
  const form = element("form", {}, clip, chooser, input, iconButton("send", "Send", paths.send, () => form.requestSubmit()));
  const card = element("div", { className: "card", hidden: true });
  card.setAttribute("role", "group");
  card.setAttribute("aria-label", "Your answer");
  const panel = element("section", { className: "panel" }, header, log, card, form, element("footer", {}, "SalesIQ emulator, not the real widget"));
  panel.setAttribute("role", "dialog");
  panel.setAttribute("aria-label", "Chat");
  const bubble = element("p", { className: "bubble", hidden: true, onclick: () => show("open", true) });
  // On a phone, the greeting would be in the way of what the visitor scrolls to.
  addEventListener("scroll", () => {
    bubble.hidden ||= matchMedia("(max-width: 500px)").matches;
  }, { passive: true });
  const launcher = iconButton("launcher", "Open the chat", paths.chat, () => show("open", true));

  const styles = new CSSStyleSheet();
  styles.replaceSync(`
    :host { all: initial; position: fixed; z-index: 2147483000; inset: auto 20px 20px auto; font: 15px/1.45 system-ui, sans-serif; color: #1c2430; }
    :host([hidden]) { display: none; }
    :host([data-position$="left"]) { inset: auto auto 20px 20px; }
    :host([data-position="topright"]) { inset: 20px 20px auto auto; }
    :host([data-position="topleft"]) { inset: 20px auto auto 20px; }
    :host([data-position="right"]) { inset: 40% 20px auto auto; }
    :host([data-position="left"]) { inset: 40% auto auto 20px; }
    * { box-sizing: border-box; }
    [hidden] { display: none !important; }
    button { border: 0; padding: 0; background: none; color: inherit; cursor: pointer; font: inherit; }
    button:focus-visible, textarea:focus-visible { outline: 3px solid var(--theme); outline-offset: 2px; }
    svg { width: 22px; height: 22px; fill: currentColor; display: block; }
    .launcher { display: grid; place-items: center; width: 58px; height: 58px; border-radius: 50%; margin-left: auto;
      background: var(--theme); color: var(--ink); box-shadow: 0 6px 20px #0f172a40; transition: transform .15s; }
    .launcher:hover { transform: translateY(-2px); }
    .launcher svg { width: 26px; height: 26px; }
    :host([data-position$="left"]) .launcher { margin-left: 0; }
    .bubble { position: absolute; bottom: 70px; right: 0; width: max-content; max-width: min(250px, 70vw); margin: 0; padding: 10px 14px; cursor: pointer;
      border-radius: 14px 14px 4px 14px; background: #fff; box-shadow: 0 6px 24px #0f172a2e; overflow-wrap: anywhere; }
    :host([data-position$="left"]) .bubble { right: auto; left: 0; border-radius: 14px 14px 14px 4px; }
    :host([data-position^="top"]) .bubble { bottom: auto; top: 70px; }
    .panel { display: none; flex-direction: column; width: min(360px, calc(100vw - 40px)); height: min(520px, calc(100dvh - 110px));
      border-radius: 16px; overflow: hidden; background: #fff; box-shadow: 0 12px 48px #0f172a47; }
    :host([data-state="open"]) .panel, :host([data-state="minimized"]) .panel { display: flex; }
    :host([data-state="minimized"]) .panel { height: auto; width: 280px; }
    :host([data-state="minimized"]) :is(.log, form, footer) { display: none; }
    :host(:not([data-state="closed"])) .launcher, :host(:not([data-state="closed"])) .bubble { display: none; }
    header { display: flex; align-items: center; gap: 10px; padding: 12px 14px; background: var(--theme); color: var(--ink); }
    :host([data-state="minimized"]) header { cursor: pointer; }
    .initial { display: grid; place-items: center; flex: none; width: 36px; height: 36px; border-radius: 50%; background: #ffffff38; font-weight: 600; }
    .names { flex: 1; min-width: 0; }
    .title, .subtitle { display: block; unicode-bidi: plaintext; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
    .subtitle { font-size: 12.5px; opacity: .88; }
    header button { padding: 4px; border-radius: 6px; }
    header button:hover { background: #ffffff2e; }
    header button:focus-visible { outline-color: currentColor; }
    .log { flex: 1; overflow-y: auto; padding: 14px; background: #f4f6f9; }
    .list { display: flow-root; }
    .message, .note, .offline, .typing { margin: 0 0 8px; overflow-wrap: anywhere; white-space: pre-wrap; }
    .message, .bubble, textarea { unicode-bidi: plaintext; } /* Each paragraph runs as its own script does. */
    .message { width: fit-content; max-width: 82%; padding: 8px 12px; border-radius: 14px; background: #fff; box-shadow: 0 1px 2px #0f172a1a; }
    .message.operator { border-bottom-left-radius: 4px; }
    .message.visitor { margin-left: auto; border-bottom-right-radius: 4px; background: var(--theme); color: var(--ink); }
    .message.visitor.pending { opacity: .6; }
    .from { display: block; font-size: 12px; color: #5b6676; }
    .message.plain { padding: 0; background: none; box-shadow: none; }
    .message img, .message video { display: block; max-width: 100%; max-height: 220px; margin: 4px 0; border-radius: 10px; object-fit: contain; }
    .message img.icon { display: inline-block; width: 20px; height: 20px; margin: 0 6px 0 0; vertical-align: -4px; border-radius: 4px; }
    .message ul { display: grid; gap: 6px; margin: 6px 0 2px; padding: 0; list-style: none; }
    .message a { color: #1d4ed8; text-underline-offset: 2px; }
    .message a.entry, .message button.entry, .message span.entry { display: block; width: 100%; padding: 7px 10px; border: 1px solid #cfd6e0; border-radius: 9px; background: #fff; text-align: left; }
    .product { margin: 6px 0 2px; padding: 8px; border: 1px solid #dfe5ee; border-radius: 10px; }
    .product strong, .product small { display: block; }
    .product small { color: #5b6676; }
    .problem { margin: 0 0 8px; padding: 8px 12px; border: 1px solid #e3a3a3; border-radius: 10px; background: #fdecec; color: #7a1212; font-size: 13px; overflow-wrap: anywhere; }
    .problem b { display: block; }
    .card { flex: none; max-height: 55%; overflow-y: auto; padding: 10px 12px 4px; background: #fff; border-top: 1px solid #e4e9f0; }
    .choices { display: flex; flex-wrap: wrap; gap: 8px; }
    .choice { padding: 8px 14px; min-height: 40px; border: 1px solid var(--edge); border-radius: 20px; background: #fff; color: var(--strong); overflow-wrap: anywhere; text-align: start; }
    .choice:hover { background: #eef2f8; }
    .choice.sign { padding: 7px 10px; }
    .choice.sign svg { width: 28px; height: 28px; }
    .card h4 { flex-basis: 100%; margin: 4px 0 0; font-size: 13px; font-weight: 600; color: #5b6676; }
    .fields { display: grid; gap: 8px; padding: 0; }
    .fields label { display: grid; gap: 3px; font-size: 13px; color: #47505e; }
    .fields label.tick { display: flex; align-items: center; gap: 8px; font-size: 15px; color: inherit; min-height: 30px; overflow-wrap: anywhere; }
    .tick input { flex: none; width: 18px; height: 18px; margin: 0; accent-color: var(--strong); }
    .fields :is(select, input:not([type="checkbox"], [type="range"])) { width: 100%; min-width: 0; min-height: 40px; padding: 6px 10px; border: 1px solid #8a94a3; border-radius: 10px; background: #fff; font: inherit; font-size: 15px; color: #1c2430; }
    .fields input[type="range"] { width: 100%; margin: 4px 0; accent-color: var(--strong); }
    .card :is(select, input, button):focus-visible { outline: 3px solid var(--strong); outline-offset: 1px; }
    .submit { padding: 8px 16px; min-height: 40px; border-radius: 10px; background: var(--theme); color: var(--ink); font-weight: 600; }
    .submit:disabled { opacity: .55; cursor: default; }
    .hint { margin: 0 0 4px; font-size: 13px; color: #5b6676; }
    .clip { display: grid; place-items: center; flex: none; width: 32px; height: 40px; border-radius: 10px; color: #47505e; }
    .note, .typing { font-size: 13px; color: #5b6676; }
    .note { text-align: center; }
    .offline { padding: 8px 12px; border-radius: 10px; background: #fff4d6; color: #6b4a00; font-size: 13.5px; }
    form { display: flex; gap: 8px; align-items: end; padding: 10px 12px 4px; margin: 0; background: #fff; }
    textarea { flex: 1; min-width: 0; resize: none; field-sizing: content; min-height: 40px; max-height: 120px; padding: 8px 12px; border: 1px solid #cfd6e0; border-radius: 12px; font: inherit; color: inherit; background: #fff; }
    .send { display: grid; place-items: center; flex: none; width: 40px; height: 40px; border-radius: 50%; background: var(--theme); color: var(--ink); }
    .send svg { width: 18px; height: 18px; }
    footer { padding: 2px 12px 8px; text-align: center; font-size: 11px; color: #667080; background: #fff; }
    :host([data-state="open"]:is([data-position="right"], [data-position="left"])) { top: auto; bottom: 20px; }
    @media (max-width: 500px) { /* The greeting stands beside the launcher. */
      :host([data-state]) { inset-inline: auto 12px; }
      :host([data-state][data-position$="left"]) { inset-inline: 12px auto; }
      :host([data-state="open"]), :host([data-state="open"][data-position]) { inset-inline: 12px; }
      :host([data-state="open"]) .panel { width: auto; }
      .bubble { inset: auto 68px 0 auto; max-width: calc(100vw - 92px); min-height: 58px; align-content: center; padding: 6px 14px; border-radius: 14px; }
      :host([data-position$="left"]) .bubble { inset: auto auto 0 68px; border-radius: 14px; }
      :host([data-position^="top"]) .bubble { top: 0; bottom: auto; }
    }
    @media (prefers-reduced-motion: reduce) { * { transition: none !important; } }
  `);
  const host = element("div", { id: "salesiq-emulator" });
  const root = host.attachShadow({ mode: "open" });
  root.adoptedStyleSheets = [styles];
  root.append(panel, bubble, launcher);
  host.dataset.state = "closed";

  function state() {
    return host.dataset.state;
  }

  // show changes the window. It takes the focus only from whoever asks for it
  // by hand: a page that opens the window may be one in which somebody types.
  function show(next, byHand) {
    const before = state();
    host.dataset.state = next;
    if (next === "minimized") {
      draw(fold, "Restore", paths.restore);
    } else {
      draw(fold, "Minimize", paths.minimize);
    }
    if (byHand) {
      ({ open: input, minimized: fold, closed: launcher })[next].focus({ preventScroll: true });
    }
    if (next === "open") {
      log.scrollTop = log.scrollHeight;
      bubble.hidden = true;
    }
    if (before === "closed" && next === "open") {
      emit("widget.opened");
      meetBot();
    }
    if (before !== "closed" && next === "closed") {
      emit("widget.closed");
    }
  }

  // meetBot tells a bot that the window is open, once it is known that there is one.
  function meetBot() {
    if (hasBot && state() === "open") {
      send("/open", {}).then((chat) => takeLater(chat, false), nothing);
    }
  }

  function paint(color) {
    if (!CSS.supports("color", color)) {
      return; // A widget without a color could not be seen.
    }
    host.style.setProperty("--theme", color);
    const [red, green, blue] = (getComputedStyle(header).backgroundColor.match(/[\d.]+/g) || [0, 0, 0]).map((part) => (part / 255) ** 2.2);
    // Above this luminance, dark text is easier to read than white.
    const light = 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.22;
    host.style.setProperty("--ink", light ? "#1c2430" : "#fff");
    // On white, a light color is not seen.
    host.style.setProperty("--strong", light ? "#1c2430" : color);
    host.style.setProperty("--edge", light ? "#8a94a3" : color);
  }

  function greet(text) {
    greeting.textContent = bubble.textContent = text;
    greeting.hidden = !text;
    bubble.hidden = !text || state() !== "closed";
  }

  function name(who, what) {
    title.textContent = who;
    initial.textContent = Array.from(who)[0] || "";
    subtitle.textContent = what;
  }

  // The chat.

  let chat = { messages: [] };
  const shown = new Set();
  let polling = false;
  let brand = { name: "Chat" };
  let department = "";
  let hasBot = false;
  let told = 0; // Problems of the bot's.

  function describe() {
    if (chat.status === "active") {
      name(chat.operator || brand.name, "is here for you");
    } else if (chat.bot && chat.bot.open) {
      name(chat.bot.name, "Bot of " + brand.name);
    } else {
      name(brand.name, chat.status === "waiting" ? "Somebody will be with you in a moment" : department || "How can we help?");
    }
  }

  function note(text) {
    list.append(element("p", { className: "note" }, text));
    log.scrollTop = log.scrollHeight;
  }

  function write(message) {
    shown.add(message.id);
    const line = element(message.card ? "div" : "p", { className: "message " + message.sender_type });
    line.append(...(message.card ? drawReply(message.card) : [message.message || "(" + message.type + ")"]));
    if (message.sender_type === "operator") {
      line.prepend(element("span", { className: "from" }, chat.operator || brand.name));
    }
    if (message.sender_type === "bot") {
      line.prepend(element("span", { className: "from" }, chat.bot ? chat.bot.name : "Bot"));
    }
    list.append(line);
    log.scrollTop = log.scrollHeight;
  }

  // about is what handlers learn of a chat: officially its id and what it is.
  const about = (next) => (official ? [next.chat_id, next] : [next.chat_id]);

  const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

  // take shows how the chat stands now, and tells what has happened since. What
  // the operator writes is typed first, for a moment.
  async function take(next, silent) {
    const before = chat;
    chat = next;
    if (next.chat_id !== before.chat_id) {
      list.replaceChildren();
      shown.clear();
      told = 0;
      if (next.chat_id && !silent) {
        emit("chat.start", ...about(next));
      }
    }
    describe();
    for (const message of next.messages.filter((message) => !shown.has(message.id))) {
      if (message.sender_type === "operator" && !silent) {
        const who = next.operator || brand.name;
        typing.textContent = who + " is typing…";
        typing.hidden = false;
        log.scrollTop = log.scrollHeight;
        emit("operator.typing", who);
        await pause(500);
        typing.hidden = true;
      }
      write(message);
      if (message.sender_type === "operator" && !silent) {
        emit("message.received", message);
      }
    }
    showBot(next.bot);
    if (next.status === "missed" && before.status !== "missed" && before.chat_id) {
      note("Nobody is free right now. Leave a message, and we will get back to you.");
    }
    if (next.status === "ended" && before.status !== "ended" && next.chat_id) {
      note("This chat has ended.");
      if (!silent) {
        emit("chat.end", ...about(next));
      }
    }
    if (next.status === "waiting" || next.status === "active" || next.bot && next.bot.busy) {
      poll();
    }
  }

  // What a bot shows.

  const link = (url, text) => element("a", { href: safe(url), target: "_blank", rel: "noopener noreferrer", className: "entry" }, text);

  // safe keeps addresses from being script.
  function safe(address) {
    try {
      const url = new URL(address, location.href);
      return ["http:", "https:", "mailto:", "tel:"].includes(url.protocol) ? url.href : "#";
    } catch {
      return "#";
    }
  }

  const picture = (url, text, className) => element("img", { src: safe(url), alt: text, className: className || "", onload: () => { log.scrollTop = log.scrollHeight; } });
  const listed = (entries) => element("ul", {}, ...entries.map((entry) => element("li", {}, entry)));

  function drawReply(reply) {
    const parts = [];
    if (reply.icon) {
      parts.push(picture(reply.icon, "", "icon"));
    }
    if (reply.text) {
      parts.push(reply.text);
    }
    if (reply.description) {
      parts.push(element("span", { className: "from" }, reply.description));
    }
    if (reply.image) {
      parts.push(picture(reply.image, reply.text || "Picture"));
    }
    if (reply.type === "links") {
      parts.push(listed(reply.links.map((to) => link(to.url, to.text || to.url))));
    } else if (reply.type === "file") {
      parts.push(listed([link(reply.url, "⬇ " + (reply.url.split("/").pop() || "File"))]));
    } else if (reply.type === "articles") {
      parts.push(listed(reply.articles.map((id) => element("span", { className: "entry" }, "Article " + id))));
    } else if (reply.type === "video") {
      parts.push(/\.(mp4|webm)(\?|$)/.test(reply.url)
        ? element("video", { src: safe(reply.url), controls: true, poster: reply.thumbnail ? safe(reply.thumbnail) : "" })
        : listed([link(reply.url, "▶ " + reply.url)]));
    } else if (reply.elements) {
      parts.push(...drawProducts(reply));
    } else if (reply.delay_config) {
      parts.push(...(reply.delay_config.info_messages || []).slice(0, reply.delay_config.type === "all" ? undefined : 1));
    }
    return parts.length ? parts : ["(" + (reply.type || "empty") + ")"];
  }

  function drawProducts(reply) {
    const several = reply.elements.some((item) => item.title);
    const items = several ? reply.elements : [{ title: reply.title, subtitle: reply.subtitle, images: reply.elements, actions: reply.actions }];
    return items.map((item) => {
      const box = element("div", { className: "product" });
      for (const { image } of item.images || [item]) {
        if (image) {
          box.append(picture(image, item.title || "Product"));
        }
      }
      box.append(element("strong", {}, item.title || ""), element("small", {}, item.subtitle || ""));
      const actions = (item.actions || reply.actions || []).map((action) => action.type === "url"
        ? link(action.link, action.label)
        : element("button", { type: "button", className: "entry", onclick: () => clientAction(action, item.id) }, action.label));
      box.append(listed(actions));
      return box;
    });
  }

  // clientAction hands a click over to the page. The bot does not hear of it.
  function clientAction(action, id) {
    const actions = salesiq.clientactions || {};
    if (typeof actions[action.clientaction_name] === "function") {
      actions[action.clientaction_name]({ name: action.name, element_id: id || "" });
    } else {
      note("The page has no client action " + action.clientaction_name + ".");
    }
  }

  // showBot shows that a bot is at work, what it asks for, and what it has done wrong.
  function showBot(bot) {
    const problems = bot ? bot.problems : [];
    for (const problem of problems.slice(told)) {
      list.append(element("p", { className: "problem" }, element("b", {}, "Told by the emulator"), problem));
      log.scrollTop = log.scrollHeight;
    }
    told = problems.length;
    typing.hidden = !(bot && bot.open && bot.busy);
    if (!typing.hidden) {
      typing.textContent = bot.name + (bot.pending ? " is working on it…" : " is typing…");
      log.scrollTop = log.scrollHeight;
    }
    const asks = bot && bot.open && !bot.busy ? { input: bot.input, options: bot.options, suggestions: bot.suggestions } : {};
    const key = JSON.stringify(asks);
    if (card.dataset.key !== key) {
      card.dataset.key = key;
      drawCard(asks);
    }
  }

  // drawCard shows something to answer with, in place of the line to write.
  function drawCard({ input: asked, options, suggestions }) {
    const focused = card.contains(root.activeElement) || root.activeElement === input || root.activeElement === null && card.dataset.used;
    let content = [];
    if (asked) {
      content = (cards[asked.type] || answers.text)(asked, options || []);
    } else if (suggestions && suggestions.length) {
      content = [choices(suggestions.map((text) => [text, text]))];
    }
    delete card.dataset.used;
    card.replaceChildren(...content);
    card.hidden = content.length === 0;
    form.hidden = content.length > 0;
    log.scrollTop = log.scrollHeight;
    if (focused) {
      (card.querySelector("input, select, button") || input).focus({ preventScroll: true });
    }
  }

  function pick(...values) {
    card.dataset.used = "true";
    for (const control of card.querySelectorAll("button, input, select")) {
      control.disabled = true;
    }
    say(values.join(", "), { values });
  }

  function choices(pairs, className) {
    return element("div", { className: "choices" }, ...pairs.map(([value, text, label]) => {
      const button = element("button", { type: "button", className: "choice " + (className || ""), onclick: () => pick(value) }, text);
      if (label) {
        button.setAttribute("aria-label", label);
      }
      return button;
    }));
  }

  // fields are controls with a button. What read returns is chosen; nothing is not.
  function fields(read, ...controls) {
    return [element("form", { className: "fields", onsubmit: (event) => {
      event.preventDefault();
      const values = read();
      if (values.length) {
        pick(...values);
      }
    } }, ...controls, element("button", { className: "submit" }, "Send"))];
  }

  const labeled = (text, control) => element("label", {}, text, control);

  const day = (date) => date.getFullYear() + "-" + String(date.getMonth() + 1).padStart(2, "0") + "-" + String(date.getDate()).padStart(2, "0");

  // bound is a date for a calendar: days from today, or milliseconds.
  function bound(value) {
    if (value === undefined) {
      return "";
    }
    const number = Number(value);
    return day(Math.abs(number) < 1e6 ? new Date(Date.now() + number * 864e5) : new Date(number));
  }

  const written = (date, time) => (date ? date.split("-").reverse().join("/") + (time ? " " + time : "") : "");

  // moment is a date, and a time where the card asks for one.
  function moment(asked, text) {
    const date = element("input", { type: "date", required: true, min: bound(asked.from), max: bound(asked.to) });
    const time = element("input", { type: "time", required: true });
    const timed = String(asked.time) === "true";
    return { read: () => written(date.value, timed && time.value), controls: timed ? [labeled(text, date), labeled("Time", time)] : [labeled(text, date)] };
  }

  const answers = {
    text: (asked) => {
      const type = { email: "email", tel: "tel" }[asked.type] || "text";
      const field = element("input", { type, placeholder: asked.placeholder || "", value: asked.value || asked.country_code || "", required: true });
      field.setAttribute("aria-label", asked.placeholder || asked.type);
      field.autocomplete = { email: "email", tel: "tel", name: "name" }[asked.type] || "off";
      const [made] = fields(() => {
        const text = field.value.trim();
        if (text) {
          card.dataset.used = "true";
          say(text);
        }
        return [];
      }, field);
      made.noValidate = true; // The bot has its own words for what is wrong.
      return [made];
    },
    many: (asked, options) => {
      const boxes = options.map((value) => element("input", { type: "checkbox", value }));
      const least = asked.min_selection || 1;
      const most = asked.max_selection || options.length;
      const check = () => {
        const ticked = boxes.filter((box) => box.checked).length;
        submit.disabled = ticked < least;
        for (const box of boxes) {
          box.disabled = !box.checked && ticked >= most;
        }
      };
      const [made] = fields(() => boxes.filter((box) => box.checked).map((box) => box.value),
        element("p", { className: "hint" }, most < options.length || least > 1 ? "Choose " + least + " to " + most + "." : "Choose any."),
        ...boxes.map((box) => element("label", { className: "tick" }, box, box.value)));
      const submit = made.querySelector(".submit");
      made.onchange = check;
      check();
      return [made];
    },
    range: (names, options) => {
      const ranges = names.map((name, i) => {
        const range = element("input", { type: "range", min: 0, max: options.length - 1, step: 1, value: i * (options.length - 1) });
        const shown = element("output", {}, options[range.value]);
        range.setAttribute("aria-valuetext", options[range.value]);
        range.oninput = () => {
          shown.textContent = options[range.value];
          range.setAttribute("aria-valuetext", options[range.value]);
        };
        return { range, label: element("label", {}, element("span", {}, name + " ", shown), range) };
      });
      return fields(() => ranges.map(({ range }) => Number(range.value)).sort((a, b) => a - b).map((at) => options[at]), ...ranges.map(({ label }) => label));
    },
    slots: (options, day) => {
      const groups = new Map();
      for (const option of options) {
        const [date, time] = day ? [day, option] : option.split(" ");
        groups.set(date, [...(groups.get(date) || []), [option, time, time + " on " + date]]);
      }
      const all = element("div", { className: "choices" });
      for (const [date, times] of groups) {
        all.append(element("h4", {}, date), ...choices(times).children);
      }
      return all;
    },
  };

  // Signs are drawn, since not every font has them.
  const face = "M12 2a10 10 0 1 1 0 20 10 10 0 0 1 0-20zm0 1.8a8.2 8.2 0 1 0 0 16.4 8.2 8.2 0 0 0 0-16.4z";
  const eyes = "M8.6 8.4a1.3 1.3 0 1 1 0 2.6 1.3 1.3 0 0 1 0-2.6zm6.8 0a1.3 1.3 0 1 1 0 2.6 1.3 1.3 0 0 1 0-2.6z";
  const smiles = {
    ":rating-angry:": [face + "M6.8 7.2l4 2-.7 1.4-4-2zM17.2 7.2l-4 2 .7 1.4 4-2zM7.5 17a4.9 4.9 0 0 1 9 0l-1.5.7a3.3 3.3 0 0 0-6 0z", "Angry"],
    ":rating-sad:": [face + eyes + "M7.5 17a4.9 4.9 0 0 1 9 0l-1.5.7a3.3 3.3 0 0 0-6 0z", "Sad"],
    ":rating-neutral:": [face + eyes + "M8 14.2h8v1.7H8z", "Neutral"],
    ":rating-happy:": [face + eyes + "M7.5 14a4.9 4.9 0 0 0 9 0l-1.5-.7a3.3 3.3 0 0 1-6 0z", "Happy"],
    ":rating-excited:": [face + eyes + "M6.8 13h10.4a5.3 5.3 0 0 1-10.4 0z", "Excited"],
  };
  const thumb = "M2 10h4v11H2zM8 21V9.6L12 2.4a2 2 0 0 1 1.9 2.5L12.9 9H19a2 2 0 0 1 2 2.4l-1.5 8A2 2 0 0 1 17.5 21z";
  function sign(path, turned) {
    const drawn = icon(path);
    drawn.setAttribute("transform", turned ? "rotate(180)" : "rotate(0)");
    return drawn;
  }
  const titled = (asked, content) => (asked.label ? [element("p", { className: "hint" }, asked.label), content] : [content]);

  const cards = {
    "select": (asked, options) => [choices(options.map((text) => [text, text]))],
    "multiple-select": answers.many,
    "drop-down": (asked, options) => {
      if (String(asked.multiple) === "true" || asked.max_selection > 1) {
        return answers.many(asked, options);
      }
      const list = element("select", { required: true }, element("option", { value: "" }, asked.placeholder || asked.select_label || "Choose…"),
        ...options.map((text) => element("option", { value: text }, text)));
      list.setAttribute("aria-label", asked.placeholder || "Choose");
      list.value = (asked.options.find((option) => option.selected) || { label: "" }).label;
      return fields(() => [list.value].filter(Boolean), list);
    },
    "slider": (asked, options) => answers.range(["Value"], options),
    "range-slider": (asked, options) => answers.range(["From", "To"], options),
    "calendar": (asked) => {
      const when = moment(asked, asked.label || "Date");
      return fields(() => [when.read()], ...when.controls);
    },
    "range-calendar": (asked) => {
      const from = moment(asked, "From");
      const to = moment(asked, "To");
      return fields(() => [from.read(), to.read()], ...from.controls, ...to.controls);
    },
    "timeslots": (asked, options) => titled(asked, answers.slots(options, asked.date)),
    "date-timeslots": (asked, options) => titled(asked, answers.slots(options)),
    "location": (asked) => {
      const at = ["lat", "lng"].map((name) => element("input", { type: "number", step: "any", required: true, value: asked[name] ?? "" }));
      return titled(asked, fields(() => [at.map((field) => field.value).join(",")], labeled("Latitude", at[0]), labeled("Longitude", at[1]))[0]);
    },
    "email": answers.text,
    "tel": answers.text,
    "name": answers.text,
    "happiness-rating": (asked, options) => [choices(options.map((value) => [value, sign(smiles[value][0]), smiles[value][1]]), "sign")],
    "star-rating": (asked, options) => [choices(options.map((value) => [value, value + " ★", value + " of " + options.length + " stars"]))],
    "like": () => [choices([["like", sign(thumb), "I like it"], ["dislike", sign(thumb, true), "I do not like it"]], "sign")],
  };

  // attach sends a file, as far as the emulator takes it from pages.
  async function attach(chooser) {
    const [file] = chooser.files;
    chooser.value = "";
    if (!file) {
      return;
    }
    if (file.size > 180000) {
      note("The emulator takes files of 180 kB from pages.");
      return;
    }
    let binary = "";
    for (const byte of new Uint8Array(await file.arrayBuffer())) {
      binary += String.fromCharCode(byte);
    }
    say(file.name, { file: { name: file.name, type: file.type, content: btoa(binary) } });
  }

  // taking keeps two answers from being shown at once.
  let taking = Promise.resolve();

  function takeLater(next, silent) {
    taking = taking.then(() => take(next, silent)).catch((problem) => console.error(problem));
    return taking;
  }

  async function poll() {
    if (polling) {
      return;
    }
    polling = true;
    await pause(chat.bot && chat.bot.busy && !chat.bot.pending ? 150 : 500);
    try {
      const next = await ask("/chat?visitor=" + encodeURIComponent(visitor), {});
      polling = false;
      await takeLater(next, false);
    } catch {
      polling = false;
      setTimeout(poll, 3000);
    }
  }

  async function say(message, how) {
    const pending = message && element("p", { className: "message visitor pending" }, message);
    if (pending) {
      list.append(pending);
      log.scrollTop = log.scrollHeight;
    }
    try {
      const next = await send("/say", how || { message });
      taking = taking.then(() => pending && pending.remove());
      await takeLater(next, false);
    } catch {
      if (pending && how) {
        pending.remove();
      }
      note("This message did not arrive.");
      if (how) {
        delete card.dataset.key; // So that it can be answered again.
        showBot(chat.bot);
      }
    }
  }

  form.onsubmit = (event) => {
    event.preventDefault();
    const message = input.value.trim();
    input.value = "";
    if (message) {
      say(message);
    }
  };
  input.onkeydown = (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      form.requestSubmit();
    }
  };
  root.addEventListener("keydown", (event) => event.key === "Escape" && !event.isComposing && show("closed", true));

  // The functions.

  let question = "";
  const position = (where) => { host.dataset.position = where; };
  const choose = (name) => { department = name; describe(); };
  const nothing = () => {};

  const specified = {
    "visitor.name": nothing,
    "visitor.email": nothing,
    "visitor.phone": nothing,
    "visitor.contactnumber": nothing,
    "visitor.info": nothing,
    "tracking.pageview": nothing,
    "tracking.event": nothing,
    "tracking.conversion": nothing,
    "floatwindow.visible": (what) => { host.hidden = what === "toggle" ? !host.hidden : what === "hide"; },
    "floatwindow.open": (options) => {
      host.hidden = false;
      show("open");
      if (options && options.message) {
        say(options.message);
      }
    },
    "floatwindow.close": () => show("closed"),
    "floatwindow.minimize": () => show("minimized"),
    "chat.department": choose,
    "chat.start": (name) => {
      choose(name);
      show("open");
      say("");
    },
    "theme.color": paint,
    "floatbutton.position": position,
    "greeting.message": greet,
    "offlinemessage.visibility": (visible) => { offline.hidden = !visible; },
    "on": on,
  };

  const published = {
    "visitor.name": nothing,
    "visitor.email": nothing,
    "visitor.contactnumber": nothing,
    "visitor.info": nothing,
    "visitor.customaction": nothing,
    "visitor.question": (text) => { question = text; },
    "visitor.chat": (handler) => on("chat.start", handler),
    "chat.complete": (handler) => on("chat.end", handler),
    "chat.department": choose,
    "chat.start": () => {
      show("open");
      say(question);
      question = "";
    },
    "floatwindow.visible": (what) => show(what === "hide" ? "closed" : "open"),
    "floatwindow.open": (handler) => on("widget.opened", handler),
    "floatwindow.close": (handler) => on("widget.closed", handler),
    "floatbutton.position": position,
    "floatbutton.visible": (what) => { host.hidden = what === "hide"; },
  };

  function install(path, action) {
    const names = path.split(".");
    const last = names.pop();
    const owner = names.reduce((object, name) => (object[name] ||= {}), salesiq);
    owner[last] = (...args) => {
      const plain = args.map((value) => (typeof value === "function" ? "[function]" : value === undefined ? null : value));
      send("/calls", { function: path, args: plain }).catch(nothing);
      action(...args);
    };
  }

  async function begin() {
    document.body.append(host);
    paint("#1d4ed8");
    try {
      const visit = await send("/visits", {
        referrer: document.referrer,
        language: navigator.language,
        timezone: Intl.DateTimeFormat().resolvedOptions().timeZone,
        screen_resolution: screen.width + "x" + screen.height,
      });
      brand = visit.brand;
      paint(brand.widget_settings.theme_color || "#1d4ed8");
      position((brand.widget_settings.position || "").replace("-", ""));
      greet(brand.widget_settings.greeting_message);
      hasBot = visit.has_bot;
      clip.hidden = !hasBot;
      await takeLater(visit.chat, true);
      meetBot();
    } catch {
      describe();
    }
    for (const [path, action] of Object.entries(official ? published : specified)) {
      install(path, action);
    }
    if (typeof salesiq.ready === "function") {
      salesiq.ready();
    }
  }

  if (document.body) {
    begin();
  } else {
    addEventListener("DOMContentLoaded", begin);
  }
})();
