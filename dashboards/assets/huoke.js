// Sorting of tables, switching of pages and drawing of charts; the shell uses only the sorting.
(function () {
  "use strict";
  document.documentElement.classList.add("js");

  function key(row, at) {
    var cell = row.cells[at];
    if (cell.dataset.sort === undefined) return cell.textContent.trim();
    return cell.dataset.sort === "" ? null : Number(cell.dataset.sort);
  }

  function sort(heading) {
    var table = heading.closest("table"), at = heading.cellIndex, body = table.tBodies[0];
    var isNumber = heading.classList.contains("number");
    var was = heading.getAttribute("aria-sort");
    var isUp = was === null ? !isNumber : was === "descending";
    Array.prototype.forEach.call(heading.parentNode.cells, function (cell) { cell.removeAttribute("aria-sort"); });
    heading.setAttribute("aria-sort", isUp ? "ascending" : "descending");
    Array.prototype.slice.call(body.rows).sort(function (a, b) {
      var x = key(a, at), y = key(b, at);
      if (x === null || y === null) return (x === null) - (y === null);
      var order = typeof x === "number" ? x - y : x.localeCompare(y, undefined, { numeric: true });
      return isUp ? order : -order;
    }).forEach(function (row) { body.appendChild(row); });
  }

  document.addEventListener("click", function (event) {
    var button = event.target.closest("table.sortable th button");
    if (button) sort(button.closest("th"));
  });

  var options = { displayModeBar: false, responsive: true };

  function draw(box) {
    if (box.dataset.drawn) return;
    box.dataset.drawn = "1";
    var content = JSON.parse(document.querySelector('script[data-chart="' + box.id + '"]').textContent);
    window.Plotly.newPlot(box, content.data, content.layout, options);
  }

  function show(name) {
    var pages = document.querySelectorAll("main .page");
    var known = Array.prototype.some.call(pages, function (page) { return page.id === "page-" + name; });
    var chosen = known ? "page-" + name : pages[0].id;
    Array.prototype.forEach.call(pages, function (page) { page.hidden = page.id !== chosen; });
    Array.prototype.forEach.call(document.querySelectorAll("nav.pages a"), function (link) {
      if ("page-" + link.hash.slice(1) === chosen) link.setAttribute("aria-current", "page"); else link.removeAttribute("aria-current");
    });
    Array.prototype.forEach.call(document.getElementById(chosen).querySelectorAll(".chart"), draw);
  }

  if (document.body && document.body.dataset.report) {
    window.addEventListener("hashchange", function () { show(location.hash.slice(1)); window.scrollTo(0, 0); });
    window.addEventListener("beforeprint", function () {
      Array.prototype.forEach.call(document.querySelectorAll("main .page"), function (page) { page.hidden = false; });
      Array.prototype.forEach.call(document.querySelectorAll(".chart"), draw);
    });
    window.addEventListener("afterprint", function () { show(location.hash.slice(1)); });
    show(location.hash.slice(1));
  }
})();
