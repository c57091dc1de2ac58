(function (plan) {
  "use strict";

  function invoke(path, args) {
    var names = path.split("."), owner = window;
    try {
      while (names.length > 1) {
        owner = owner[names.shift()];
      }
      if (typeof owner[names[0]] === "function") {
        owner[names[0]].apply(owner, args);
      } else {
        console.debug("salesiq: there is no function " + path);
      }
    } catch (problem) {
      console.debug("salesiq: " + path + " failed", problem);
    }
  }

  // copy keeps what others do to a value from changing the plan. It is no
  // Object.assign, to which __proto__ means more than a name.
  function copy(value) {
    return JSON.parse(JSON.stringify(value));
  }

  function labeled(handler, label) {
    var fields = copy(handler.fields || {});
    if (label !== undefined && !Object.prototype.hasOwnProperty.call(fields, "event_label")) {
      fields.event_label = label;
    }
    return fields;
  }

  // Browsers refuse to keep more than 64 kB alive, all requests together; a
  // character is up to 3 bytes.
  var mostKeptAlive = 5000;

  function post(path, report) {
    try {
      var body = JSON.stringify(report);
      window.fetch(window.location.origin + path, {
        method: "POST",
        keepalive: body.length <= mostKeptAlive,
        credentials: "same-origin",
        headers: {"Content-Type": "application/json"},
        body: body
      }).catch(function (problem) {
        console.debug("salesiq: " + path + " failed", problem);
      });
    } catch (problem) {
      console.debug("salesiq: " + path + " failed", problem);
    }
  }

  function handle(handler, step, args) {
    var label = step.labeled ? args[0] : undefined;
    if (handler.function) {
      invoke(handler.function, args);
    }
    if (handler.push) {
      var pushed = labeled(handler, label);
      pushed.event = handler.push;
      window.dataLayer = window.dataLayer || [];
      invoke("dataLayer.push", [pushed]);
    }
    if (handler.gtag) {
      invoke("gtag", ["event", handler.gtag, labeled(handler, label)]);
    }
    if (handler.post) {
      post(handler.post, {event: step.event, data: args});
    }
  }

  // readable makes two ways to write a path one: browsers escape what Go does not.
  function readable(path) {
    try {
      return decodeURI(path);
    } catch (problem) {
      return path;
    }
  }

  function here(paths) {
    var path = readable(window.location.pathname);
    return paths.map(readable).some(function (wanted) {
      var stem = wanted.slice(0, -1);
      return wanted === path || wanted === stem + "*" && path.slice(0, stem.length) === stem;
    });
  }

  function clicked(event, selector) {
    try {
      return event.target.closest(selector);
    } catch (problem) {
      console.debug("salesiq: " + selector + " failed", problem);
      return null;
    }
  }

  function runAll(steps) {
    steps.forEach(run);
  }

  function run(step) {
    if (step.click) {
      document.addEventListener("click", function (event) {
        if (clicked(event, step.click)) {
          runAll(step.steps);
        }
      }, true); // Before the page can stop it.
    } else if (step.paths) {
      if (here(step.paths)) {
        setTimeout(function () {
          if (here(step.paths)) { // The visitor may have gone on, without a new page.
            runAll(step.steps);
          }
        }, step.after);
      }
    } else {
      call(step);
    }
  }

  function call(step) {
    var args = copy(step.args || []);
    if (step.address) {
      args.push(window.location.href);
    }
    if (step.handlers) {
      args.push(function () {
        var given = Array.prototype.slice.call(arguments);
        step.handlers.forEach(function (handler) {
          handle(handler, step, given);
        });
      });
    }
    invoke("$zoho.salesiq." + step.call, args);
  }

  var zoho = window.$zoho || (window.$zoho = {});
  var salesiq = zoho.salesiq || (zoho.salesiq = {});
  var earlier = salesiq.ready;
  var started = false;

  function start() {
    if (!started) {
      started = true;
      runAll(plan.steps);
    }
  }

  if (plan.code) {
    salesiq.widgetcode = plan.code;
    salesiq.values = salesiq.values || {};
  }
  salesiq.ready = function () {
    if (typeof earlier === "function") {
      try {
        earlier.apply(this, arguments);
      } catch (problem) {
        console.error(problem);
      }
    }
    start();
  };
  if (salesiq.visitor) {
    start();
  }
})
