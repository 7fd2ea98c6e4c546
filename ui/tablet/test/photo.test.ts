import { speak, type EvidenceView } from '@standpipe/kit';
import { render } from 'svelte/server';
import { afterEach, describe, expect, it, vi } from 'vitest';

vi.mock('@tauri-apps/api/core', () => ({ invoke: vi.fn(), convertFileSrc: (path: string) => `/${path}` }));
vi.mock('@tauri-apps/api/event', () => ({ listen: vi.fn() }));

const { default: Photo } = await import('../src/parts/Photo.svelte');

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
    expect(tile(photo({ whereabouts: { state: 'sending', percent: 40 } }))).toContain('Sending, 40 %');
    expect(tile(photo({ whereabouts: { state: 'needs-attention', code: 'file-missing' } }))).toContain(
      'Held back: The file is not on this tablet any more.',
    );
  });

  it('that is elsewhere says so in its place, without an empty box', () => {
    speak('zh-CN');
    const shown = tile(photo({ whereabouts: { state: 'elsewhere' }, preview: { state: 'pending' } }));
    expect(shown).not.toContain('<img');
    expect(shown).toContain('照片不在本平板上');
    expect(shown).toContain('栓口.jpg');
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
