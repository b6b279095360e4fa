/** The read-only map: grids over streets and buildings, search, and a card for the grid that was chosen. */
import { AttributionControl, LngLatBounds, Map as GlMap, Marker, NavigationControl, ScaleControl, setWorkerUrl } from 'maplibre-gl';
import workerUrl from 'maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url';
import 'maplibre-gl/dist/maplibre-gl.css';
import './map.css';
import { ApiError, gridCard, territories, type Found, type Territory } from './api';
import { gridCardElement } from './card';
import { el, need } from './dom';
import { searchBox } from './searchbox';
import { SWITCHES, TILE_LAYERS, mapStyle } from './style';
import { percent, say } from './words';

setWorkerUrl(workerUrl);

declare global {
  interface Window {
    /** For browser tests: the map, once it exists. */
    wanggeMap?: GlMap;
  }
}

const query = new URLSearchParams(location.search);
const drawer = need('#card');
let marker: Marker | undefined;

function tilesUrl(): string {
  return `${location.origin}/tiles/${TILE_LAYERS.join(',')}/{z}/{x}/{y}.mvt`;
}

function bounds(box: [number, number, number, number]): LngLatBounds {
  return new LngLatBounds([box[0], box[1]], [box[2], box[3]]);
}

function padding(): { top: number; bottom: number; left: number; right: number } {
  const wide = matchMedia('(min-width: 720px)').matches;
  return wide ? { top: 24, bottom: 24, left: 372, right: 60 } : { top: 150, bottom: 40, left: 16, right: 16 };
}

function makeMap(all: Territory[], start: Territory | undefined): GlMap {
  const attribution = [...new Set(all.map((t) => t.attribution).filter(Boolean))].join(' · ');
  const map = new GlMap({
    container: 'map',
    style: mapStyle(tilesUrl(), attribution),
    attributionControl: false,
    hash: 'at',
    maxZoom: 20,
    minZoom: 4,
    fadeDuration: 120,
    localIdeographFontFamily: "'Noto Sans SC','Noto Sans CJK SC','Source Han Sans SC','PingFang SC','Microsoft YaHei',sans-serif",
    ...(start && !location.hash ? { bounds: bounds(start.bbox), fitBoundsOptions: { padding: padding() } } : {}),
  });
  map.addControl(new NavigationControl({ visualizePitch: false }), 'top-right');
  map.addControl(new ScaleControl({ unit: 'metric' }), 'bottom-right');
  map.addControl(new AttributionControl({ compact: matchMedia('(max-width: 719px)').matches }), 'bottom-right');
  map.touchZoomRotate.disableRotation();
  return map;
}

function summary(t: Territory): string {
  return [
    say('allGrids', { n: t.grids }),
    `${say('households')} ${t.households.toLocaleString('en').replace(/,/g, ' ')}`,
    say('inRange', { p: percent(t.in_range_share) }),
    say('streetShare', { p: percent(t.on_street_share) }),
  ].join(' · ');
}

function select(map: GlMap, gridId: string): void {
  map.setFilter('grid-selected', ['==', ['get', 'grid_id'], gridId]);
}

function closeCard(map: GlMap): void {
  drawer.hidden = true;
  drawer.replaceChildren();
  select(map, '');
}

async function openCard(map: GlMap, gridId: string): Promise<void> {
  select(map, gridId);
  const button = el('button', { type: 'button', class: 'close', 'aria-label': say('close'), onclick: () => closeCard(map) }, '×');
  try {
    drawer.replaceChildren(button, gridCardElement(await gridCard(gridId)));
  } catch (error) {
    drawer.replaceChildren(button, el('p', { class: 'fault' }, error instanceof ApiError ? error.message : say('failed')));
  }
  drawer.hidden = false;
}

function show(map: GlMap, found: Found): void {
  marker?.remove();
  marker = new Marker({ color: '#d1431f' }).setLngLat([found.lon, found.lat]).addTo(map);
  map.easeTo({ center: [found.lon, found.lat], zoom: Math.max(map.getZoom(), 16.5), padding: padding(), duration: 600 });
  if (found.grid_id) void openCard(map, found.grid_id);
}

function wireLayerSwitches(map: GlMap): void {
  for (const box of document.querySelectorAll<HTMLInputElement>('input[data-layers]')) {
    box.addEventListener('change', () => {
      for (const layer of SWITCHES[box.dataset['layers'] ?? ''] ?? []) {
        map.setLayoutProperty(layer, 'visibility', box.checked ? 'visible' : 'none');
      }
    });
  }
}

function wireTerritories(map: GlMap, all: Territory[], start: Territory | undefined): () => Territory | undefined {
  const chooser = need<HTMLSelectElement>('#territory');
  const line = need('#summary');
  chooser.replaceChildren(...all.map((t) => el('option', { value: String(t.id) }, t.name)));
  if (start) chooser.value = String(start.id);
  const current = (): Territory | undefined => all.find((t) => String(t.id) === chooser.value);
  const describe = (): void => { const t = current(); line.textContent = t ? summary(t) : ''; };
  chooser.addEventListener('change', () => {
    describe();
    closeCard(map);
    const t = current();
    if (t) map.fitBounds(bounds(t.bbox), { padding: padding(), duration: 0 });
  });
  describe();
  return current;
}

async function main(): Promise<void> {
  const all = await territories();
  const start = all.find((t) => String(t.id) === query.get('territory')) ?? all[0];
  const map = makeMap(all, start);
  window.wanggeMap = map;
  const current = wireTerritories(map, all, start);
  searchBox(need<HTMLInputElement>('#search'), need('#results'), () => current()?.id, (found) => show(map, found));
  map.on('load', () => wireLayerSwitches(map));
  map.on('click', (event) => {
    const hit = map.queryRenderedFeatures(event.point, { layers: ['grid-fill'] })[0];
    const id = hit?.properties['grid_id'] as string | undefined;
    if (id) void openCard(map, id);
    else closeCard(map);
  });
  map.on('mousemove', 'grid-fill', () => { map.getCanvas().style.cursor = 'pointer'; });
  map.on('mouseleave', 'grid-fill', () => { map.getCanvas().style.cursor = ''; });
  document.addEventListener('keydown', (event) => { if (event.key === 'Escape') closeCard(map); });
  const wanted = query.get('grid');
  if (wanted) map.once('load', () => void openCard(map, wanted));
}

main().catch(() => {
  drawer.replaceChildren(el('p', { class: 'fault' }, say('failed')));
  drawer.hidden = false;
});
