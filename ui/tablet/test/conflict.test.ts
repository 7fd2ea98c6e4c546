import { follow, languages, moment, names, speak } from '@standpipe/kit';
import type { Answer, ConflictSide } from '@standpipe/kit';
import { render } from 'svelte/server';
import { describe, expect, it, vi } from 'vitest';
import { item } from './estate';

vi.mock('@tauri-apps/api/core', () => ({ invoke: vi.fn(), convertFileSrc: vi.fn(), Channel: class {} }));
vi.mock('@tauri-apps/api/event', () => ({ listen: vi.fn() }));

const { default: ConflictPanel } = await import('../src/check/ConflictPanel.svelte');

follow((await import('../src/paraglide/runtime.js')).overwriteGetLocale);

const at = (minute: number) => new Date(2023, 5, 30, 8, minute).getTime();
const side = (by: string, minute: number, value: unknown): ConflictSide => ({
  rev: `op of ${by}`,
  value,
  by,
  device: `0000-${by}`,
  at: at(minute),
});
const pressure = item('p', { answer: { type: 'reading', unit: 'MPa', limit: { min: 0.35, max: 0.5 } } });
const read = (value: number): Answer => ({ outcome: 'pass', reading: { value, unit: 'MPa' }, at: 0 });
const sides = [side('甲', 20, read(0.4)), side('乙', 30, read(0.45))];

const shown = (field: string, base: ConflictSide | null) =>
  render(ConflictPanel, { props: { conflict: { field, base, sides }, item: pressure, keep: null } }).body;
const before = (body: string) => body.match(/data-testid="before">([^<]*)</)?.[1]?.trim();

describe('two records that differ', () => {
  it('say of each who wrote it, on which tablet and when', () => {
    for (const language of languages) {
      speak(language);
      const body = shown('answer:p', null);
      for (const { by, at } of sides) expect(body).toMatch(new RegExp(`${by} ·[^<]*…[^<]*${by}<br/?>${moment(at)}`));
      expect(before(body), 'nothing that both started from').toBeUndefined();
    }
  });

  it('say what both started from, and who had written that and when', () => {
    for (const language of languages) {
      speak(language);
      const said = before(shown('answer:p', side('丙', 5, { ...read(0.42), note: '偏低' })));
      for (const part of [names.outcome('pass'), '0.42 MPa', '偏低', '丙', moment(at(5))]) expect(said).toContain(part);
      expect(before(shown('severity:p', side('丙', 5, 'serious')))).toContain(names.severity('serious'));
    }
  });
});
