import { follow, reason, speak, type EvidenceView } from '@standpipe/kit';
import { render } from 'svelte/server';
import { afterEach, describe, expect, it, vi } from 'vitest';

const invoke = vi.hoisted(() => vi.fn());
class Channel {
  told: (value: number) => void;
  constructor(told: (value: number) => void) {
    this.told = told;
  }
}
vi.mock('@tauri-apps/api/core', () => ({ invoke, Channel, convertFileSrc: (path: string) => `/${path}` }));
vi.mock('@tauri-apps/api/event', () => ({ listen: vi.fn() }));

const { bringHere } = await import('../src/fetches.svelte');
const { default: Photo } = await import('../src/parts/Photo.svelte');
const { whatToDo } = await import('../src/screens/todo');

follow((await import('../src/paraglide/runtime.js')).overwriteGetLocale);

afterEach(() => speak('zh-CN'));

const photo = (more: Partial<EvidenceView> = {}): EvidenceView => ({
  sha256: 'ab'.repeat(32),
  media_type: 'image/jpeg',
  bytes: 3_000_000,
  name: '栓口.jpg',
  at: 0,
  preview: { state: 'ready' },
  whereabouts: { state: 'safe-here' },
  ...more,
});
const tile = (evidence: EvidenceView) => render(Photo, { props: { evidence } }).body;

describe('a photo', () => {
  it('says where it is', () => {
    speak('en');
    expect(tile(photo())).toContain('Safe on this tablet');
    expect(tile(photo({ whereabouts: { state: 'sending', percent: 40 } }))).toContain('Sending, 40\u00a0%');
    expect(tile(photo({ whereabouts: { state: 'needs-attention', code: 'file-missing' } }))).toContain(
      'Needs attention: The file is not on this tablet any more.',
    );
  });

  it('that the office could not take is said to be tried again by itself; what a person asked for is not', () => {
    for (const [language, again] of [
      ['en', 'tried again by itself'],
      ['zh-CN', '自动重试'],
    ] as const) {
      speak(language);
      expect(tile(photo({ whereabouts: { state: 'needs-attention', code: 'hub-fault' } }))).toContain(again);
      expect(reason('hub-fault')).not.toContain(again);
      expect(whatToDo({ code: 'hub-fault', detail: '' }), 'under the line').toContain(again);
    }
  });

  it('that was lost says so plainly, also in place of its picture', () => {
    speak('en');
    const lost = tile(photo({ whereabouts: { state: 'lost' }, preview: { state: 'pending' } }));
    expect(lost).toContain('Lost on this tablet');
    expect(lost).toContain('The photo was lost on this tablet.');
  });

  it('is told by a shape of its own in each place, and by the colour of its state', () => {
    const places = [
      { state: 'safe-here' },
      { state: 'sending', percent: 40 },
      { state: 'safe-at-office' },
      { state: 'needs-attention', code: 'file-missing' },
      { state: 'elsewhere', at_office: true },
      { state: 'lost' },
    ] as const;
    const shown = places.map((whereabouts) => tile(photo({ whereabouts })));
    expect(new Set(shown.map((html) => html.match(/data-mark="([^"]+)"/)?.[1]))).toHaveLength(places.length);
    expect(new Set(shown.map((html) => html.match(/<figcaption.*?(<svg.*?<\/svg>)/s)?.[1]))).toHaveLength(
      places.length,
    );
    const tones = shown.map((html) => html.match(/color: ?var\(--(\w+)-text\)/)?.[1]);
    expect(tones).toEqual(['progress', 'progress', 'pass', 'attention', 'na', 'na']);
  });

  it('that is elsewhere says so in its place, without an empty box', () => {
    speak('zh-CN');
    const shown = tile(photo({ whereabouts: { state: 'elsewhere' }, preview: { state: 'pending' } }));
    expect(shown).not.toContain('<img');
    expect(shown).toContain('照片不在本平板上');
    expect(shown).toContain('栓口.jpg');
  });

  it('that is elsewhere says where, whose it is, and how to get it', () => {
    speak('zh-CN');
    const away = (whereabouts: Partial<EvidenceView['whereabouts']>) =>
      tile(photo({ whereabouts: { state: 'elsewhere', ...whereabouts } as never, preview: { state: 'pending' } }));
    expect(away({ at_office: true, by: '王小明' })).toContain('办公室有这张照片');
    expect(away({ at_office: true })).toContain('取回原件（3\u00a0MB）');
    expect(away({ at_office: false, by: '王小明' })).toContain('照片由王小明拍摄，还在那台平板上');
    expect(away({ at_office: false, by: '王小明' })).toContain('再问办公室');
    expect(away({ at_office: false })).toContain('尚未到达办公室');
    expect(away({})).toContain('取回原件');
    speak('en');
    expect(away({ at_office: false, by: '王小明' })).toContain('王小明 took this photo. It is on that tablet');
  });

  it('of which there is no small picture at all can be fetched, wherever it is', () => {
    const none = { preview: { state: 'none', code: 'no-thumbnail' } } as const;
    const shown = tile(photo({ ...none, whereabouts: { state: 'elsewhere', at_office: true } }));
    expect(shown).toContain('取回原件');
    expect(tile(photo(none))).not.toContain('取回原件');
  });

  it('that is fetched says how far it is, and what became of it', async () => {
    speak('en');
    const evidence = photo({ whereabouts: { state: 'elsewhere', at_office: true }, preview: { state: 'pending' } });
    let fail: (problem: unknown) => void = () => {};
    invoke.mockImplementationOnce((_, { progress }) => {
      progress.told(40);
      return new Promise((_, reject) => (fail = reject));
    });
    const fetching = bringHere(evidence.sha256);
    expect(tile(evidence)).toContain('Fetching, 40 %');
    fail({ code: 'no-answer', message: '', details: {} });
    await fetching;
    expect(tile(evidence)).toContain('the office does not answer');
    invoke.mockRejectedValueOnce({ code: 'not-here-yet', message: '', details: {} });
    await bringHere(evidence.sha256);
    expect(tile(evidence)).toContain('it is not there yet');
    expect(tile(evidence)).not.toContain('alert');
    invoke.mockRejectedValueOnce({ code: 'hash-mismatch', message: '', details: {} });
    await bringHere(evidence.sha256);
    expect(tile(evidence)).toContain('Not fetched. The bytes are not those that were recorded.');
    invoke.mockResolvedValueOnce(null);
    await bringHere(evidence.sha256);
    expect(tile(evidence)).toContain('Fetch 3\u00a0MB');
  });

  it('whose small picture has come is shown, and said not to be here', () => {
    speak('zh-CN');
    const shown = tile(photo({ whereabouts: { state: 'elsewhere' } }));
    expect(shown).toContain('<img');
    expect(shown).toContain('不在本平板上');
  });

  it('without a preview says why', () => {
    speak('en');
    expect(tile(photo({ preview: { state: 'none', code: 'broken' } }))).toContain('The picture is damaged');
  });

  it('that is a clip is played, not drawn', () => {
    speak('en');
    const shown = tile(photo({ media_type: 'video/mp4', preview: { state: 'clip' }, name: 'a.mp4' }));
    expect(shown).toContain('Play a.mp4');
    expect(shown).not.toContain('<img');
  });
});
