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
    if (!response.ok) {
      throw new Error("the emulator answered " + response.status);
    }
    return (await response.json()).data;
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
  const form = element("form", {}, input, iconButton("send", "Send", paths.send, () => form.requestSubmit()));
  const panel = element("section", { className: "panel" }, header, log, form, element("footer", {}, "SalesIQ emulator, not the real widget"));
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
    }
    if (before !== "closed" && next === "closed") {
      emit("widget.closed");
    }
  }

  function paint(color) {
    if (!CSS.supports("color", color)) {
      return; // A widget without a color could not be seen.
    }
    host.style.setProperty("--theme", color);
    const [red, green, blue] = (getComputedStyle(header).backgroundColor.match(/[\d.]+/g) || [0, 0, 0]).map((part) => (part / 255) ** 2.2);
    // Above this luminance, dark text is easier to read than white.
    host.style.setProperty("--ink", 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.22 ? "#1c2430" : "#fff");
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

  function describe() {
    if (chat.status === "active") {
      name(chat.operator || brand.name, "is here for you");
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
    const line = element("p", { className: "message " + message.sender_type }, message.message || "(" + message.type + ")");
    if (message.sender_type === "operator") {
      line.prepend(element("span", { className: "from" }, chat.operator || brand.name));
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
    if (next.status === "ended" && before.status !== "ended" && next.chat_id) {
      note("This chat has ended.");
      if (!silent) {
        emit("chat.end", ...about(next));
      }
    }
    if (next.status === "waiting" || next.status === "active") {
      poll();
    }
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
    await pause(500);
    try {
      const next = await ask("/chat?visitor=" + encodeURIComponent(visitor), {});
      polling = false;
      await takeLater(next, false);
    } catch {
      polling = false;
      setTimeout(poll, 3000);
    }
  }

  async function say(message) {
    const pending = message && element("p", { className: "message visitor pending" }, message);
    if (pending) {
      list.append(pending);
      log.scrollTop = log.scrollHeight;
    }
    try {
      const next = await send("/say", { message });
      taking = taking.then(() => pending && pending.remove());
      await takeLater(next, false);
    } catch {
      note("This message did not arrive.");
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
      await takeLater(visit.chat, true);
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
