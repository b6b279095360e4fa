import { describe, expect, it } from 'vitest';
import { metres, percent, say } from './words';

describe('words', () => {
  it('fills placeholders in both languages', () => {
    expect(say('toBorder', { m: '7.5' }, 'zh-CN')).toBe('距边界 7.5 米');
    expect(say('toBorder', { m: '7.5' }, 'en')).toBe('7.5 m to the border');
  });
  it('says a share that does not exist as a dash, never as zero', () => {
    expect(percent(null)).toBe('–');
    expect(percent(0)).toBe('0.0\u202f%');
    expect(percent(0.9417)).toBe('94.2\u202f%');
  });
  it('rounds metres as people say them', () => {
    expect(metres(3.26)).toBe('3.3');
    expect(metres(1234.5)).toBe('1 235');
  });
});
