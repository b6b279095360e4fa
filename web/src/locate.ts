/** The grid worker's page: own position with its accuracy, the grid, its people, and the neighbours near a border. */
import './locate.css';
import { ApiError, gridCard, lookup, search, type Candidate, type Lookup } from './api';
import { peopleList } from './card';
import { el, need } from './dom';
import { metres, say, type Word } from './words';

const answer = need('#answer');
const status = need('#status');
const button = need<HTMLButtonElement>('#find');

/** Browsers report WGS 84; some phones' built-in web views report GCJ-02 and are told so by `?datum=`. */
const datum = new URLSearchParams(location.search).get('datum') === 'gcj02' ? 'gcj02' : 'wgs84';

function neighbour(candidate: Candidate): HTMLElement {
  return el('li', {},
    el('span', {}, candidate.name || candidate.code),
    el('small', {}, `${candidate.code} · ${say('away', { m: metres(candidate.distance_m) })}`));
}

function headline(result: Lookup): HTMLElement[] {
  const parts: HTMLElement[] = [el('p', { class: `verdict ${result.status}` }, say(result.status))];
  if (result.grid_id) {
    parts.push(el('h2', {}, result.name ?? result.code ?? ''), el('p', { class: 'code' }, [result.community, result.code].filter(Boolean).join(' · ')));
  }
  if (result.edge_m !== null && result.status !== 'outside') parts.push(el('p', { class: 'edge' }, say('toBorder', { m: metres(result.edge_m) })));
  return parts;
}

function others(result: Lookup): HTMLElement[] {
  const rest = result.candidates.filter((c) => c.grid_id !== result.grid_id);
  if (!rest.length) return [];
  const title = result.status === 'outside' ? [el('h3', {}, say('nearest'))] : [];
  return [...title, el('ul', { class: 'neighbours' }, ...rest.map(neighbour))];
}

function show(result: Lookup): void {
  answer.replaceChildren(
    ...headline(result),
    ...(result.grid_id ? [el('h3', {}, say('people')), peopleList(result.people)] : []),
    ...others(result),
  );
  answer.hidden = false;
}

async function ask(lon: number, lat: number, crs: string, accuracy: number): Promise<void> {
  try {
    show(await lookup(lon, lat, crs, accuracy));
  } catch (error) {
    status.textContent = error instanceof ApiError ? error.message : say('failed');
  }
}

function refusal(error: GeolocationPositionError): Word {
  if (!window.isSecureContext) return 'locateInsecure';
  return error.code === error.PERMISSION_DENIED ? 'locateDenied' : 'locateUnavailable';
}

function locate(): void {
  if (!('geolocation' in navigator)) {
    status.textContent = say('locateUnavailable');
    return;
  }
  button.disabled = true;
  status.textContent = say('locating');
  navigator.geolocation.getCurrentPosition(
    ({ coords }) => {
      button.disabled = false;
      status.textContent = `${say('accuracy', { m: metres(coords.accuracy) })} · ${say('datum', { d: datum.toUpperCase() })}`;
      void ask(coords.longitude, coords.latitude, datum, coords.accuracy);
    },
    (error) => {
      button.disabled = false;
      status.textContent = say(refusal(error));
    },
    { enableHighAccuracy: true, timeout: 12000, maximumAge: 0 },
  );
}

/** An address or plate code typed by hand answers exactly: its building is assigned, not measured. */
async function findByText(text: string): Promise<void> {
  const [found] = await search(text);
  if (!found) {
    status.textContent = say('noResults');
    return;
  }
  status.textContent = found.label;
  if (!found.grid_id) return ask(found.lon, found.lat, 'wgs84', 0);
  const card = await gridCard(found.grid_id);
  answer.replaceChildren(
    el('h2', {}, card.name), el('p', { class: 'code' }, `${card.community} · ${card.code}`),
    el('h3', {}, say('people')), peopleList(card.people));
  answer.hidden = false;
}

button.addEventListener('click', locate);
need<HTMLFormElement>('#byhand').addEventListener('submit', (event) => {
  event.preventDefault();
  const text = need<HTMLInputElement>('#text').value.trim();
  if (text) findByText(text).catch(() => { status.textContent = say('failed'); });
});
