import { asideReason, follow, languages, moment, speak, type Quarantined, type Recorded } from '@standpipe/kit';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { render } from 'svelte/server';
import { afterEach, describe, expect, it } from 'vitest';
import { m } from '../src/paraglide/messages.js';
import { overwriteGetLocale } from '../src/paraglide/runtime.js';
import QuarantineTable from '../src/quarantine/QuarantineTable.svelte';
import { alike, meaning, placeOf } from '../src/quarantine/record';
import { check } from './estate';

follow(overwriteGetLocale);
afterEach(() => speak('zh-CN'));

describe('what a withdrawn tablet sent', () => {
  const tablet = (language: string) =>
    JSON.parse(readFileSync(join(import.meta.dirname, `../../tablet/messages/${language}.json`), 'utf8'));

  it.each(languages)(
    'comes back by a new code, and the way to it is named as both screens name it (%s)',
    (language) => {
      speak(language);
      const { title, joinAgain } = tablet(language).sync;
      for (const named of [m['nav.tablets'](), title, joinAgain]) expect(meaning('revoked')).toContain(named);
    },
  );
});

describe('what was set aside', () => {
  const record = (dev_seq: number, more: Partial<Quarantined> = {}): Quarantined => ({
    op_id: `op ${dev_seq}`,
    device: 'd',
    device_name: '甲的平板',
    incarnation: 1,
    dev_seq,
    entity: 'check',
    field: null,
    code: 'sealed',
    detail: '',
    at: 0,
    author: null,
    about: null,
    content: [],
    cut: false,
    seen: null,
    ...more,
  });
  const listed = [record(1), record(2), record(3, { device: 'e' }), record(4, { code: 'revoked' })];
  const shown = (listed: Quarantined[], may: boolean, asking: string | null = null) =>
    render(QuarantineTable, { props: { listed, may, asking } }).body;

  it('is marked as seen to by who may, behind a question that says that nothing is deleted', () => {
    speak('en');
    expect(shown(listed, false)).not.toContain('see-to');
    expect(shown(listed, true)).not.toContain('see-to-yes');
    const asked = shown(listed, true, Object.values(placeOf(listed[0]!)).join(' '));
    for (const text of ['see-to-yes', 'Nothing is deleted.', 'All 2 of this tablet with this reason'])
      expect(asked).toContain(text);
  });

  const words = (text: string) => ({ 'zh-CN': text, en: text });
  const item = check({}).checklist!.items[0]!;
  const asked = { ...item, question: words('静压达标') };
  const told = (content: Recorded[], more: Partial<Quarantined> = {}): string =>
    shown(
      [
        record(1, {
          author: { name: '王工', at: new Date(2023, 5, 30, 8, 5).getTime() },
          about: { entity: 'check', name: words('室内栓'), path: [words('3栋'), words('B1')] },
          content,
          ...more,
        }),
      ],
      false,
    );

  it('says who recorded what where, by what was asked, not by the names of the log', () => {
    for (const language of languages) {
      speak(language);
      const body = told([
        { field: 'answer:static-pressure', asked, value: { outcome: 'fail', note: '阀门漏水', at: 1 } },
        {
          field: 'photos',
          asked: { ...asked, question: words('箱体完好') },
          value: { sha256: 'ab', name: 'IMG_7.jpg' },
        },
        { field: 'severity', asked: null, value: 'serious' },
      ]);
      const when = moment(new Date(2023, 5, 30, 8, 5).getTime());
      for (const text of ['王工', when, '室内栓', '3栋', 'B1', '静压达标', '阀门漏水', '箱体完好', 'IMG_7.jpg'])
        expect(body).toContain(text);
      expect(body).not.toMatch(/static-pressure|serious"/);
    }
  });

  it('names the item of a finding as not met, and what was written of it', () => {
    speak('en');
    const body = told([{ field: 'words', asked, value: '三号回路' }], { entity: 'finding' });
    expect(body).toContain('Not met: 静压达标');
    expect(body).toMatch(/Words.*三号回路/s);
  });

  it('says that nobody can read it, or that more was recorded, where that is so', () => {
    speak('en');
    expect(shown([record(1)], false)).toContain('cannot be read');
    expect(shown([record(1, { cut: true })], false)).not.toContain('cannot be read');
    expect(shown([record(1, { cut: true })], false)).toContain('Not all of it is listed');
    expect(told([{ field: 'words', asked: null, value: 'a' }], { cut: true })).toContain('Not all of it is listed');
  });

  it('is text, whatever it holds, and what is long stands folded', () => {
    speak('en');
    const values: unknown[] = [
      '<img src=x onerror=alert(1)>',
      { outcome: 'constructor' },
      { outcome: 'fail', reading: { value: 'x', unit: 'toString' } },
      { outcome: 'fail', note: { a: 1 } },
      { sha256: { a: 1 }, name: 7 },
      { words: ['<b>'] },
      [null],
      1e300,
      false,
      null,
    ];
    for (const field of ['answer:a', 'severity', 'status', '__proto__', ''])
      for (const value of values) {
        const body = told([{ field, asked: null, value }], { entity: '<b>', code: '<i>' });
        expect(body).not.toMatch(/<img|<b>|<i>/);
      }
    expect(told([{ field: 'words', asked: null, value: 'short' }])).toContain('<details open');
    expect(told([{ field: 'words', asked: null, value: '字'.repeat(4_000) }])).not.toContain('<details open');
  });

  it('is alike where tablet and reason are the same', () => {
    expect(alike(listed, listed[0]!)).toEqual(listed.slice(0, 2));
  });

  it('and was seen to says by whom, and can be taken back by who may', () => {
    speak('en');
    const seen = [record(1, { seen: { by: '主任', at: 0 } })];
    expect(shown(seen, true)).toContain('Seen to by 主任');
    expect(shown(seen, true)).toContain('take-back');
    expect(shown(seen, false)).not.toContain('take-back');
  });
});

describe('a reason for setting aside', () => {
  const docs = readFileSync(join(import.meta.dirname, '../../../docs/sync.md'), 'utf8');
  const table = docs.slice(docs.indexOf('### Quarantine'), docs.indexOf('The reason may pass'));
  const codes = [...table.matchAll(/^\| (`.*?) \|/gm)].flatMap(([, cell]) =>
    [...cell!.matchAll(/`([a-z-]+)`/g)].map(([, code]) => code!),
  );

  it('is one of those that are written down', () => {
    expect(codes).toHaveLength(29);
  });

  it.each(codes)('%s says what happened and what can be done, without a tooltip', (code) => {
    for (const language of languages) {
      speak(language);
      expect(asideReason(code)).not.toBe(asideReason('of-a-later-version').replace('of-a-later-version', code));
      expect(meaning(code)).toMatch(/\p{L}{2}.*[.。]$/u);
      expect(meaning(code)).not.toContain(asideReason(code));
    }
  });

  it('of a later version is told by its code', () => {
    speak('en');
    expect(asideReason('of-a-later-version')).toContain('of-a-later-version');
    for (const code of ['constructor', '__proto__', '']) expect(meaning(code)).toBe(meaning('of-a-later-version'));
  });
});
