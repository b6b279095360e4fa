/** What is known of one grid, and who is responsible: the same card on the map and on the phone page. */
import type { GridCard, Person } from './api';
import { el } from './dom';
import { percent, say } from './words';

/** People with their post and a phone number that can be tapped. */
export function peopleList(people: Person[]): HTMLElement {
  if (!people.length) return el('p', { class: 'vacant' }, say('nobody'));
  return el('ul', { class: 'people' }, ...people.map((p) =>
    el('li', {},
      el('span', { class: 'who' }, el('strong', {}, p.name), el('small', {}, p.post)),
      el('a', { class: 'phone', href: `tel:${p.phone.replace(/[^\d+]/g, '')}`, 'aria-label': `${say('call')} ${p.name} ${p.phone}` }, p.phone),
    )));
}

function row(term: string, value: string): HTMLElement[] {
  return [el('dt', {}, term), el('dd', {}, value)];
}

/** The card of one grid. */
export function gridCardElement(card: GridCard): HTMLElement {
  return el('article', { class: 'card' },
    el('header', {}, el('h2', {}, card.name), el('p', { class: 'code' }, card.code)),
    el('dl', { class: 'facts' },
      ...row(say('community'), card.community || '–'),
      ...row(say('kind'), say(card.kind)),
      ...row(say('households'), String(card.households)),
      ...row(say('buildings'), String(card.buildings)),
      ...row(say('onStreet'), percent(card.on_street_share)),
      ...(card.bounds ? row(say('bounds'), card.bounds) : []),
      ...(card.streets?.length ? row(say('streets'), card.streets.join(say('and'))) : []),
      ...row(say('validFrom'), card.valid_from ?? '–'),
    ),
    el('h3', {}, say('people')),
    peopleList(card.people),
  );
}
