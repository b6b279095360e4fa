/** The map's style: our own tiles only, labels drawn with the device's fonts, no glyph or sprite server. */
import type { DataDrivenPropertyValueSpecification, ExpressionSpecification, LayerSpecification, StyleSpecification } from 'maplibre-gl';

export const TILE_LAYERS = ['water', 'communities', 'grids', 'rail', 'streets', 'buildings', 'addresses', 'labels'] as const;

/** Fill tones of neighbouring grids; the server numbers them so that neighbours differ (`tone` 0-5). */
export const TONES = ['#e8b04a', '#6fa8a0', '#d9826b', '#8c9fcb', '#a9bd6a', '#c490b5'] as const;
const BORDER = '#1f4e5a';
const PAPER = '#f5f2eb';

const zoomed = (...stops: number[]): ExpressionSpecification =>
  ['interpolate', ['exponential', 1.6], ['zoom'], ...stops] as unknown as ExpressionSpecification;

const byTone: DataDrivenPropertyValueSpecification<string> = [
  'match', ['%', ['to-number', ['get', 'tone'], 0], 6], 0, TONES[0], 1, TONES[1], 2, TONES[2], 3, TONES[3], 4, TONES[4], TONES[5],
] as unknown as ExpressionSpecification;

const MAIN = ['motorway', 'trunk', 'primary', 'motorway_link', 'trunk_link', 'primary_link'];
const MIDDLE = ['secondary', 'tertiary', 'secondary_link', 'tertiary_link'];
const PATHS = ['footway', 'path', 'steps', 'cycleway', 'track', 'bridleway', 'corridor'];
const isOneOf = (values: string[]): ExpressionSpecification => ['in', ['get', 'highway'], ['literal', values]];

/** Width of a street class by zoom, plus `extra` pixels for the casing. */
function streetWidth(extra: number): ExpressionSpecification {
  const at = (main: number, middle: number, minor: number, service: number): ExpressionSpecification => [
    'case', isOneOf(MAIN), main + extra, isOneOf(MIDDLE), middle + extra, ['==', ['get', 'highway'], 'service'], service + extra, minor + extra,
  ];
  return ['interpolate', ['exponential', 1.5], ['zoom'], 11, at(1.6, 1, 0.4, 0), 14, at(4, 3, 1.6, 0.6), 16, at(9, 7, 5, 2), 18, at(20, 16, 12, 6)];
}

function baseLayers(): LayerSpecification[] {
  return [
    { id: 'paper', type: 'background', paint: { 'background-color': PAPER } },
  ];
}

function gridFill(): LayerSpecification[] {
  return [
    { id: 'grid-fill', type: 'fill', source: 'wangge', 'source-layer': 'grids',
      paint: { 'fill-color': byTone, 'fill-antialias': false,
        'fill-opacity': ['interpolate', ['linear'], ['zoom'], 11, 0.55, 15, 0.34, 18, 0.2] } },
  ];
}

function townLayers(): LayerSpecification[] {
  const source = 'wangge';
  return [
    { id: 'water', type: 'fill', source, 'source-layer': 'water', filter: ['==', ['geometry-type'], 'Polygon'], paint: { 'fill-color': '#a9cde0', 'fill-opacity': 0.85 } },
    { id: 'waterway', type: 'line', source, 'source-layer': 'water', filter: ['==', ['geometry-type'], 'LineString'],
      paint: { 'line-color': '#9cc3d8', 'line-width': zoomed(12, 0.6, 16, 2.5) } },
    { id: 'buildings', type: 'fill', source, 'source-layer': 'buildings', minzoom: 13.5,
      paint: { 'fill-color': '#a3988a', 'fill-opacity': ['interpolate', ['linear'], ['zoom'], 13.5, 0.25, 15.5, 0.5], 'fill-outline-color': '#7d7264' } },
    { id: 'paths', type: 'line', source, 'source-layer': 'streets', minzoom: 15, filter: isOneOf(PATHS),
      paint: { 'line-color': '#ffffff', 'line-width': zoomed(15, 0.6, 18, 2), 'line-dasharray': [2, 1.2] } },
    { id: 'street-casing', type: 'line', source, 'source-layer': 'streets', minzoom: 12, filter: ['!', isOneOf(PATHS)],
      layout: { 'line-cap': 'round', 'line-join': 'round' }, paint: { 'line-color': '#c9c1b3', 'line-width': streetWidth(1.2) } },
    { id: 'street', type: 'line', source, 'source-layer': 'streets', filter: ['!', isOneOf(PATHS)],
      layout: { 'line-cap': 'round', 'line-join': 'round' },
      paint: { 'line-color': ['case', isOneOf(MAIN), '#fde7b0', '#ffffff'], 'line-width': streetWidth(0) } },
    { id: 'rail', type: 'line', source, 'source-layer': 'rail', paint: { 'line-color': '#8f8b84', 'line-width': zoomed(11, 0.6, 15, 1.2, 18, 3) } },
    { id: 'rail-sleepers', type: 'line', source, 'source-layer': 'rail', minzoom: 15.5,
      paint: { 'line-color': '#ffffff', 'line-width': zoomed(15.5, 0.8, 18, 1.8), 'line-dasharray': [5, 5] } },
  ];
}

function borderLayers(): LayerSpecification[] {
  const source = 'wangge';
  return [
    { id: 'grid-border', type: 'line', source, 'source-layer': 'grids', layout: { 'line-join': 'round' },
      paint: { 'line-color': BORDER, 'line-opacity': 0.85, 'line-width': zoomed(10, 0.6, 14, 1.8, 18, 4) } },
    { id: 'community-border', type: 'line', source, 'source-layer': 'communities', layout: { 'line-join': 'round' },
      paint: { 'line-color': '#8a3b2e', 'line-width': zoomed(10, 1.2, 14, 3, 18, 5), 'line-dasharray': [3, 1.6] } },
    { id: 'grid-selected', type: 'line', source, 'source-layer': 'grids', filter: ['==', ['get', 'grid_id'], ''], layout: { 'line-join': 'round' },
      paint: { 'line-color': '#d1431f', 'line-width': zoomed(10, 2, 14, 4, 18, 7) } },
  ];
}

const halo = { 'text-halo-color': 'rgba(255,255,255,0.9)', 'text-halo-width': 1.6 } as const;
const font = ['sans-serif'];

function labelLayers(): LayerSpecification[] {
  const source = 'wangge';
  return [
    { id: 'street-name', type: 'symbol', source, 'source-layer': 'streets', minzoom: 13.5, filter: ['!=', ['coalesce', ['get', 'name'], ''], ''],
      layout: { 'symbol-placement': 'line', 'text-field': ['get', 'name'], 'text-font': font, 'text-size': zoomed(13.5, 10, 18, 15), 'symbol-spacing': 320, 'text-max-angle': 30 },
      paint: { 'text-color': '#5c5244', ...halo } },
    { id: 'house-number', type: 'symbol', source, 'source-layer': 'addresses', minzoom: 16.6,
      layout: { 'text-field': ['coalesce', ['get', 'label'], ''], 'text-font': font, 'text-size': 11, 'text-padding': 1 },
      paint: { 'text-color': '#3d4f7c', ...halo } },
    { id: 'grid-name', type: 'symbol', source, 'source-layer': 'labels', minzoom: 12.4, filter: ['==', ['get', 'kind'], 'grid'],
      layout: { 'text-field': ['get', 'name'], 'text-font': font, 'text-size': zoomed(12.4, 10, 15, 14, 18, 20), 'text-max-width': 8, 'text-padding': 4 },
      paint: { 'text-color': BORDER, ...halo } },
    { id: 'community-name', type: 'symbol', source, 'source-layer': 'labels', maxzoom: 14.5, filter: ['==', ['get', 'kind'], 'community'],
      layout: { 'text-field': ['get', 'name'], 'text-font': font, 'text-size': zoomed(10, 11, 14, 17), 'text-letter-spacing': 0.08, 'text-max-width': 9 },
      paint: { 'text-color': '#8a3b2e', ...halo, 'text-halo-width': 2 } },
  ];
}

/** The whole style over one vector source of our own. */
export function mapStyle(tiles: string, attribution: string): StyleSpecification {
  return {
    version: 8,
    sources: { wangge: { type: 'vector', tiles: [tiles], minzoom: 8, maxzoom: 17, attribution } },
    layers: [...baseLayers(), ...gridFill(), ...townLayers(), ...borderLayers(), ...labelLayers()],
  };
}

/** Layers a reader can switch on and off, by the name of their checkbox. */
export const SWITCHES: Record<string, string[]> = {
  grids: ['grid-fill', 'grid-border', 'grid-name'],
  communities: ['community-border', 'community-name'],
  buildings: ['buildings'],
  streets: ['street', 'street-casing', 'paths', 'street-name', 'rail', 'rail-sleepers'],
  addresses: ['house-number'],
};
