// Rows of the table show their grid; labels only where they have room.
document.addEventListener("DOMContentLoaded", function () {
  var map = PLAN_MAP, grids = PLAN_GRIDS;
  var byCode = {};
  grids.eachLayer(function (layer) { byCode[layer.feature.properties.grid] = layer; });
  document.querySelectorAll("tr[data-grid]").forEach(function (row) {
    row.addEventListener("click", function () {
      var layer = byCode[row.dataset.grid];
      if (!layer) { return; }
      map.fitBounds(layer.getBounds(), { maxZoom: 17, padding: [40, 40] });
      layer.setStyle({ weight: 3, color: "#000", fillOpacity: 0.7 });
      setTimeout(function () { grids.resetStyle(layer); }, 1800);
    });
  });
  function labels() {
    map.getContainer().classList.toggle("no-labels", map.getZoom() < 14);
  }
  map.on("zoomend", labels);
  labels();
  map.attributionControl.setPrefix("Leaflet");
  var said = document.querySelector("[data-attribution]");
  if (said && said.dataset.attribution) { map.attributionControl.addAttribution(said.dataset.attribution); }
});
