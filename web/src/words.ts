/** Words of the pages in both languages; the page's `lang` chooses. */

const words = {
  grid: ['网格', 'Grid'],
  community: ['社区', 'Community'],
  households: ['户数', 'Households'],
  kind: ['类型', 'Kind'],
  residential: ['基础网格', 'Residential'],
  dedicated: ['专属网格', 'Dedicated'],
  rural: ['农村网格', 'Rural'],
  people: ['责任人', 'People responsible'],
  nobody: ['暂无责任人', 'Nobody is assigned'],
  buildings: ['楼栋', 'Buildings'],
  onStreet: ['边界沿街', 'Border on streets'],
  bounds: ['四至', 'Bounds'],
  streets: ['责任街道', 'Answers for'],
  and: ['、', ', '],
  code: ['编码', 'Code'],
  validFrom: ['生效日期', 'In force from'],
  close: ['关闭', 'Close'],
  noResults: ['没有找到', 'Nothing found'],
  failed: ['暂时无法连接，请重试', 'Could not connect; please try again'],
  locating: ['正在定位…', 'Finding your position…'],
  locateDenied: ['没有定位权限。请在浏览器设置中允许定位，或输入门牌编码。', 'Position not allowed. Allow it in the browser’s settings, or type a plate’s code.'],
  locateUnavailable: ['暂时无法定位。请走到室外再试，或输入门牌编码。', 'No position. Try outdoors, or type a plate’s code.'],
  locateInsecure: ['浏览器只在 https 网页上允许定位。请输入门牌编码或地址。', 'Browsers give the position on https pages only. Type a plate’s code or an address.'],
  certain: ['您所在的网格', 'You are in'],
  uncertain: ['您在边界附近，可能是以下网格之一', 'You are near a border. It may be one of these'],
  outside: ['此处不属于任何网格', 'No grid covers this place'],
  nearest: ['最近的网格', 'Nearest grids'],
  accuracy: ['定位精度约 {m} 米', 'Accuracy about {m} m'],
  toBorder: ['距边界 {m} 米', '{m} m to the border'],
  away: ['{m} 米', '{m} m'],
  datum: ['坐标基准 {d}', 'Datum {d}'],
  call: ['拨打电话', 'Call'],
  address: ['地址', 'Address'],
  street: ['道路', 'Street'],
  coordinate: ['坐标', 'Coordinate'],
  compound: ['小区', 'Compound'],
  building: ['楼栋', 'Building'],
  plate: ['门牌', 'Plate'],
  allGrids: ['{n} 个网格', '{n} grids'],
  inRange: ['{p} 户数达标', '{p} in range'],
  streetShare: ['{p} 边界沿街', '{p} of border on streets'],
} as const satisfies Record<string, readonly [string, string]>;

export type Word = keyof typeof words;
export type Language = 'zh-CN' | 'en';

/** The language the server rendered the page in. */
export function pageLanguage(): Language {
  return document.documentElement.lang.startsWith('en') ? 'en' : 'zh-CN';
}

/** One word or sentence, its `{placeholders}` filled. */
export function say(word: Word, values: Record<string, string | number> = {}, language: Language = pageLanguage()): string {
  const text: string = words[word][language === 'en' ? 1 : 0];
  return text.replace(/\{(\w+)\}/g, (_, key: string) => String(values[key] ?? ''));
}

/** A share as a percentage with one decimal, `–` where there is none. */
export function percent(share: number | null | undefined): string {
  return share === null || share === undefined ? '–' : `${(share * 100).toFixed(1)}\u202f%`;
}

/** Metres as people say them: one decimal under ten, whole above. */
export function metres(value: number): string {
  return value < 10 ? value.toFixed(1) : Math.round(value).toLocaleString('en').replace(/,/g, ' ');
}
