// The operator's desk: shows what the server knows, again and again, and sends
// what the operator does.
(function () {
  "use strict";

  const byID = (id) => document.getElementById(id);
  const shown = { conversation: "", calls: "", reports: "" };

  function element(tag, className, ...children) {
    const made = document.createElement(tag);
    made.className = className;
    made.append(...children);
    return made;
  }

  // fill replaces what a list shows, if it has changed, and shows the newest.
  function fill(id, items, toElement) {
    const text = JSON.stringify(items);
    if (shown[id] === text) {
      return;
    }
    shown[id] = text;
    const list = byID(id);
    list.replaceChildren(...items.map(toElement));
    list.scrollTop = id === "conversation" ? list.scrollHeight : 0;
  }

  const short = (value) => (typeof value === "string" ? JSON.stringify(value) : value && value.message ? JSON.stringify(value.message) : JSON.stringify(value));

  function draw(view) {
    const chat = view.chat;
    byID("who").textContent = chat ? chat.visitor : "Nobody has written yet";
    byID("status").textContent = chat ? chat.status : "idle";
    byID("status").dataset.status = chat ? chat.status : "idle";
    const open = Boolean(chat) && (chat.status === "waiting" || chat.status === "active");
    for (const control of document.querySelectorAll("#desk textarea, #desk button")) {
      control.disabled = !open;
    }
    byID("end").disabled = !chat || chat.status !== "active";
    byID("hint").hidden = Boolean(chat);
    fill("conversation", chat ? chat.messages : [], (message) => element("li", message.sender_type, message.message));
    fill("calls", view.calls.slice(-40).reverse(), (call) => element("li", "", element("code", "", call.function), "(" + call.args.map(short).join(", ") + ")"));
    fill("reports", view.reports.reverse(), (report) => element("li", "", element("code", "", report.event), " " + (report.data || []).slice(0, 1).map(short).join("")));
  }

  async function look() {
    try {
      const answer = await fetch("/desk");
      if (answer.ok) {
        draw(await answer.json());
      }
    } catch {
      byID("status").textContent = "offline";
    }
    setTimeout(look, Number(document.body.dataset.pause));
  }

  // act tells whether the server has done it, and shows why not.
  async function act(path, body) {
    let problem = "";
    try {
      const answer = await fetch(path, { method: "POST", body });
      problem = answer.ok ? "" : await answer.text();
    } catch {
      problem = "The server cannot be reached.";
    }
    byID("problem").textContent = problem;
    byID("problem").hidden = !problem;
    return !problem;
  }

  byID("desk").addEventListener("submit", async (event) => {
    event.preventDefault();
    const words = event.target.elements.message;
    const written = words.value;
    words.value = "";
    if (!(await act("/desk/answer", new URLSearchParams({ message: written })))) {
      words.value = written + words.value; // Nothing that was written is lost.
    }
  });
  byID("end").addEventListener("click", () => act("/desk/end"));
  byID("desk").addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing && event.target.tagName === "TEXTAREA") {
      event.preventDefault();
      byID("desk").requestSubmit();
    }
  });

  // What the widget calls when a message has come: see eventCalls in site.go.
  window.desk = {
    flash() {
      document.title = "✉ " + document.title.replace(/^✉ /, "");
    },
  };
  addEventListener("focus", () => (document.title = document.title.replace(/^✉ /, "")));

  look();
})();
