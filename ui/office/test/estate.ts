import type { FindingView, Item, OfficeCheck } from '@standpipe/kit';

const words = (en: string) => ({ 'zh-CN': en, en });
const item = (id: string): Item => ({
  id,
  question: words(id),
  help: null,
  answer: { type: 'pass-fail' },
  draws_water: false,
  interlock: false,
  source: { code: 'x', clause: null, standing: 'practice', from: null, until: null },
});
export const check = (more: Partial<OfficeCheck>): OfficeCheck => ({
  id: 'c',
  asset: { id: 'a', kind: 'standpipe', name: words('a'), tag: '', path: [] },
  state: 'under-way',
  checklist: { id: 'standpipe', version: 1, asset_kind: 'standpipe', name: words('s'), items: [item('a'), item('b')] },
  answers: {},
  photos: [],
  sealed: false,
  amendments: [],
  conflicts: [],
  kept: null,
  ...more,
});
export const finding = (more: Partial<FindingView>): FindingView => ({
  id: 'f',
  check: 'c',
  item: 'a',
  asked: null,
  answer: { outcome: 'fail', at: 0 },
  severity: 'minor',
  words: '',
  photos: [],
  issue: null,
  lacks: [],
  kept: null,
  ...more,
});
