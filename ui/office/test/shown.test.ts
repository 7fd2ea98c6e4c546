import { render } from 'svelte/server';
import { afterEach, describe, expect, it } from 'vitest';
import {
  follow,
  names,
  speak,
  type EvidenceView,
  type OfficeRound,
  type SealReport,
  type SignOffView,
} from '@standpipe/kit';
import { overwriteGetLocale } from '../src/paraglide/runtime.js';
import Photo from '../src/parts/Photo.svelte';
import SignOff from '../src/rounds/SignOff.svelte';
import { issueCounts, roundCounts, unsigned } from '../src/start/counts';

follow(overwriteGetLocale);
afterEach(() => speak('zh-CN'));

const photo = (more: Partial<EvidenceView> = {}): EvidenceView => ({
  sha256: 'ab',
  media_type: 'image/jpeg',
  bytes: 3_200_000,
  name: '栓口.jpg',
  at: 0,
  preview: { state: 'ready' },
  whereabouts: { state: 'safe-at-office' },
  ...more,
});
const shown = (evidence: EvidenceView) => render(Photo, { props: { evidence } }).body;

describe('a photo', () => {
  it('that has arrived is shown small, from the hub', () => {
    expect(shown(photo())).toContain('src="/api/v1/evidence/ab/thumb"');
  });

  it('that has not arrived says where it is, and is no broken picture', () => {
    speak('en');
    const away = shown(photo({ preview: { state: 'pending' }, whereabouts: { state: 'elsewhere' } }));
    expect(away).not.toContain('<img');
    expect(away).not.toContain('/original');
    expect(away).toContain('Still on the tablet or on its way');
    const half = shown(photo({ preview: { state: 'pending' }, whereabouts: { state: 'sending', percent: 62 } }));
    expect(half).toContain('62 %');
  });

  it('of which only the small picture has arrived is shown small, and not called safe', () => {
    speak('en');
    const small = shown(photo({ whereabouts: { state: 'elsewhere' } }));
    expect(small).toContain('/thumb');
    expect(small).not.toContain('At the office');
  });

  it('without a preview can still be had whole', () => {
    const whole = shown(photo({ preview: { state: 'none', code: 'truncated' } }));
    expect(whole).not.toContain('<img');
    expect(whole).toContain('href="/api/v1/evidence/ab/original"');
  });

  it('that is a clip plays from where it lies', () => {
    const clip = shown(photo({ media_type: 'video/mp4', preview: { state: 'clip' } }));
    expect(clip).toMatch(/<video[^>]*src="\/api\/v1\/evidence\/ab\/original"[^>]*controls/);
  });
});

describe('a signature', () => {
  const signOff = (objection: string | null, onTheirWay = 0): SignOffView => ({
    unit: 'u',
    unit_name: { 'zh-CN': '一期业主代表', en: 'Owner representative' },
    unsigned_amendments: 0,
    signed: {
      id: 's',
      name: '陈静',
      objection,
      at: 0,
      photos_on_their_way: onTheirWay,
      photos_unconfirmed: 0,
      strokes: [
        [
          [1, 2, 0],
          [3, 4, 5],
        ],
      ],
    },
  });
  const seal: SealReport = {
    sign_off: 's',
    unit: 'u',
    genuine: true,
    known: true,
    unchanged: true,
    countersigned: 0,
    photos: 6,
  };
  const card = (view: SignOffView, report?: SealReport) =>
    render(SignOff, { props: { signOff: view, seal: report } }).body;

  it('shows the objection in the words of whoever signed', () => {
    expect(card(signOff('没有试到最远的消火栓'), seal)).toContain('没有试到最远的消火栓');
  });

  it('says how many photos are on their way', () => {
    speak('en');
    expect(card(signOff(null, 2), seal)).toContain('2 of 6 photos and clips are on their way');
    expect(card(signOff(null), seal)).toContain('all of them at the office');
  });

  it('does not call a seal verified that is not', () => {
    speak('en');
    const bad = card(signOff(null), { ...seal, unchanged: false });
    expect(bad).toContain('data-verdict="bad"');
    expect(bad).toContain('not what was signed');
    expect(bad).not.toContain('Seal verified');
    expect(card(signOff(null))).toContain('data-verdict="waiting"');
  });

  it('of a tablet that a restored office has forgotten holds, and says so', () => {
    speak('en');
    const forgotten = card(signOff(null), { ...seal, known: false });
    expect(forgotten).toContain('data-verdict="good"');
    expect(forgotten).toContain('does not know the tablet named in it');
    expect(card(signOff(null), seal)).toContain('is that of the tablet that is named in it');
    expect(card(signOff(null), { ...seal, known: false, genuine: false })).toContain('is not that of the tablet');
  });

  it('that is missing is asked for', () => {
    speak('en');
    const open = card({ ...signOff(null), signed: null });
    expect(open).toContain('Not signed yet');
    expect(open).not.toContain('/seals/');
  });
});

describe('the numbers of the start page', () => {
  it('lead to the lists that they count', () => {
    const issue = (status: string, overdue: boolean) => ({ status, overdue }) as Parameters<typeof issueCounts>[0][0];
    const lines = [issue('open', true), issue('claimed-done', false), issue('closed', false)];
    expect(issueCounts(lines).map(({ count, href }) => [count, href])).toEqual([
      [2, '#/issues'],
      [1, '#/issues?show=overdue'],
      [1, '#/issues?show=claimed-done'],
    ]);
    const round = (state: string, due: string) => ({ state, due }) as OfficeRound['line'];
    const rounds = [round('signed', '2023-07-01'), round('to-sign', '2023-07-09'), round('overdue', '2023-06-01')];
    expect(roundCounts(rounds).map(({ count, href }) => [count, href])).toEqual([
      [0, '#/rounds?state=under-way'],
      [1, '#/rounds?state=to-sign'],
      [1, '#/rounds?state=signed'],
    ]);
    expect(unsigned(rounds).map(({ due }) => due)).toEqual(['2023-06-01', '2023-07-09']);
  });
});

describe('a record that was set aside', () => {
  it('is named in words, and by its own name where there are none', () => {
    speak('en');
    expect([names.entity('check'), names.entity('of-later')]).toEqual(['Check', 'of-later']);
    expect(names.field('answer:door-seal')).toBe('Item “door-seal”');
    expect(names.field('answer:door-seal', { 'zh-CN': '封条完好', en: 'Seal intact' })).toBe('Item “Seal intact”');
    expect([names.field('severity'), names.field('of-later')]).toEqual(['Severity', 'of-later']);
  });
});
