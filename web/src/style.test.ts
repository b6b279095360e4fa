import { describe, expect, it } from 'vitest';
import { SWITCHES, TILE_LAYERS, mapStyle } from './style';

const style = mapStyle('http://host/tiles/{z}/{x}/{y}.mvt', '© somebody');

describe('map style', () => {
  it('asks nobody but us: no glyphs, no sprite, one source', () => {
    expect(style.glyphs).toBeUndefined();
    expect(style.sprite).toBeUndefined();
    expect(Object.keys(style.sources)).toEqual(['wangge']);
  });
  it('draws every tile layer it asks for, and no other', () => {
    const drawn = new Set(style.layers.flatMap((l) => ('source-layer' in l ? [l['source-layer']] : [])));
    expect([...drawn].sort()).toEqual([...TILE_LAYERS].sort());
  });
  it('switches only layers that exist', () => {
    const ids = new Set(style.layers.map((l) => l.id));
    for (const layer of Object.values(SWITCHES).flat()) expect(ids).toContain(layer);
  });
});
