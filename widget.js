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

  function labeled(fields, label) {
    var copy = Object.assign({}, fields);
    if (label !== undefined && !("event_label" in copy)) {
      copy.event_label = label;
    }
    return copy;
  }

  function post(path, report) {
    try {
      window.fetch(window.location.origin + path, {
        method: "POST",
        keepalive: true,
        credentials: "same-origin",
        headers: {"Content-Type": "application/json"},
        body: JSON.stringify(report)
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
      window.dataLayer = window.dataLayer || [];
      window.dataLayer.push(Object.assign(labeled(handler.fields, label), {event: handler.push}));
    }
    if (handler.gtag) {
      invoke("gtag", ["event", handler.gtag, labeled(handler.fields, label)]);
    }
    if (handler.post) {
      post(handler.post, {event: step.event, data: args});
    }
  }

  function here(paths) {
    var path = window.location.pathname;
    return paths.some(function (wanted) {
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
      });
    } else if (step.paths) {
      if (here(step.paths)) {
        setTimeout(runAll, step.after, step.steps);
      }
    } else {
      call(step);
    }
  }

  function call(step) {
    var args = step.args ? step.args.slice() : [];
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

  var zoho = window.$zoho = window.$zoho || {};
  var salesiq = zoho.salesiq = zoho.salesiq || {};
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
