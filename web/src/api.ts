/** The service's answers as the pages use them. Errors are problem documents; their `title` is shown. */

export interface Territory {
  id: number;
  name: string;
  bbox: [number, number, number, number];
  attribution: string;
  grids: number;
  households: number;
  in_range_share: number | null;
  on_street_share: number | null;
}

export interface Person {
  name: string;
  post: string;
  phone: string;
}

export interface GridCard {
  grid_id: string;
  code: string;
  name: string;
  kind: 'residential' | 'dedicated' | 'rural';
  community: string;
  households: number;
  buildings: number;
  on_street_share: number | null;
  valid_from: string | null;
  bbox: [number, number, number, number];
  people: Person[];
  /** The four bounds 四至 in words, and the streets on its border that it answers for. */
  bounds?: string;
  streets?: string[];
}

export interface Candidate {
  grid_id: string;
  code: string;
  name?: string;
  distance_m: number;
}

export interface Lookup {
  status: 'certain' | 'uncertain' | 'outside';
  grid_id: string | null;
  code: string | null;
  name: string | null;
  community: string | null;
  edge_m: number | null;
  candidates: Candidate[];
  people: Person[];
  wgs84: [number, number];
}

export interface Found {
  kind: string;
  label: string;
  detail?: string;
  lon: number;
  lat: number;
  territory?: number;
  grid_id?: string | null;
  url?: string | null;
}

/** A fault with words for the reader. */
export class ApiError extends Error {}

async function get<T>(path: string, parameters: Record<string, string | number> = {}): Promise<T> {
  const query = new URLSearchParams(Object.entries(parameters).map(([k, v]) => [k, String(v)]));
  const response = await fetch(query.size ? `${path}?${query}` : path, { headers: { Accept: 'application/json' } });
  const body: unknown = await response.json().catch(() => null);
  if (!response.ok) throw new ApiError((body as { title?: string; detail?: string } | null)?.detail ?? response.statusText);
  return body as T;
}

/** All published territories, page after page. */
export async function territories(): Promise<Territory[]> {
  const all: Territory[] = [];
  for (let page: string | null = '/api/territories?limit=1000'; page; ) {
    const told: { territories: Territory[]; next: string | null } = await get(page);
    all.push(...told.territories);
    page = told.next;
  }
  return all;
}
export const gridCard = (id: string): Promise<GridCard> => get(`/api/grids/${encodeURIComponent(id)}`);
export const lookup = (lon: number, lat: number, crs: string, accuracy: number): Promise<Lookup> =>
  get('/api/lookup', { lon, lat, crs, accuracy });
export const search = async (q: string, territory?: number): Promise<Found[]> =>
  (await get<{ results: Found[] }>('/api/search', territory === undefined ? { q } : { q, territory })).results;
