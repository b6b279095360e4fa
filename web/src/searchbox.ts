/** One box that finds an address, a code, a grid, a street or a coordinate; usable by keyboard alone. */
import { search, type Found } from './api';
import { el } from './dom';
import { say, type Word } from './words';

const KINDS = new Set<Word>(['address', 'street', 'coordinate', 'compound', 'building', 'plate', 'grid', 'community']);
const PAUSE_MS = 180;

/** Attach the behaviour to an input and its result list; `choose` is called with what the reader picks. */
export function searchBox(input: HTMLInputElement, list: HTMLElement, territory: () => number | undefined, choose: (found: Found) => void): void {
  let timer = 0;
  let asked = 0;
  let shown: Found[] = [];
  let active = -1;

  const close = (): void => {
    list.replaceChildren();
    list.hidden = true;
    input.setAttribute('aria-expanded', 'false');
    active = -1;
  };
  const pick = (found: Found): void => {
    input.value = found.label;
    close();
    choose(found);
  };
  const mark = (index: number): void => {
    active = (index + shown.length) % shown.length;
    [...list.children].forEach((item, i) => item.setAttribute('aria-selected', String(i === active)));
    list.children[active]?.scrollIntoView({ block: 'nearest' });
  };
  const show = (results: Found[]): void => {
    shown = results;
    active = -1;
    list.hidden = false;
    input.setAttribute('aria-expanded', 'true');
    if (!results.length) {
      list.replaceChildren(el('li', { class: 'none' }, say('noResults')));
      return;
    }
    list.replaceChildren(...results.map((found) => {
      const kind = found.kind as Word;
      return el('li', { role: 'option', onmousedown: (e) => { e.preventDefault(); pick(found); } },
        el('span', {}, found.label),
        el('small', {}, [KINDS.has(kind) ? say(kind) : '', found.detail ?? ''].filter(Boolean).join(' · ')));
    }));
  };
  const ask = async (): Promise<void> => {
    const q = input.value.trim();
    const turn = ++asked;
    if (!q) return close();
    try {
      const results = await search(q, territory());
      if (turn === asked) show(results);
    } catch {
      if (turn === asked) show([]);
    }
  };

  input.addEventListener('input', () => { clearTimeout(timer); timer = window.setTimeout(() => void ask(), PAUSE_MS); });
  input.addEventListener('blur', close);
  input.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') close();
    else if (event.key === 'ArrowDown' && shown.length) { event.preventDefault(); mark(active + 1); }
    else if (event.key === 'ArrowUp' && shown.length) { event.preventDefault(); mark(active - 1); }
    else if (event.key === 'Enter') {
      event.preventDefault();
      const found = shown[Math.max(active, 0)];
      if (!list.hidden && found) pick(found);
      else void ask();
    }
  });
  // what was typed while the page was still loading
  if (input.value && document.activeElement === input) void ask();
}
