import { follow, languages, speak, type Quarantined } from '@standpipe/kit';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { render } from 'svelte/server';
import { afterEach, describe, expect, it } from 'vitest';
import { m } from '../src/paraglide/messages.js';
import { overwriteGetLocale } from '../src/paraglide/runtime.js';
import QuarantineTable from '../src/quarantine/QuarantineTable.svelte';
import { alike, meaning, placeOf } from '../src/quarantine/record';

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
