/* Other filters: what the grid kept of the answers before is of no use. An anchor's file is read here, and pasted. */
(function () {
  const MOST = 10000;

  window.dash_clientside = Object.assign({}, window.dash_clientside, {
    audit: {
      again: function () {
        window.dash_ag_grid.getApiAsync("audit-grid").then(function (api) {
          api.ensureIndexVisible(0);
          api.purgeInfiniteCache();
        });
        return window.dash_clientside.no_update;
      },
    },
  });

  document.addEventListener("click", function (event) {
    if (!event.target.closest || !event.target.closest("#audit-choose")) return;
    const asked = document.createElement("input");
    asked.type = "file";
    asked.accept = ".json,application/json";
    asked.addEventListener("change", async function () {
      if (!asked.files.length) return;
      const text = await asked.files[0].slice(0, MOST).text();
      window.dash_clientside.set_props("audit-anchored", {value: text.trim()});
    });
    asked.click();
  });
})();
