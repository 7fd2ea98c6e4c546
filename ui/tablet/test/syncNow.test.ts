import type { SyncDetail } from '@standpipe/kit';
import { render } from 'svelte/server';
import { expect, it, vi } from 'vitest';

const invoke = vi.fn();
vi.mock('@tauri-apps/api/core', () => ({ invoke, convertFileSrc: vi.fn(), Channel: class {} }));
vi.mock('@tauri-apps/api/event', () => ({ listen: vi.fn() }));

/** What a tap on each button that is drawn does. */
const taps = new Map<string, () => Promise<void>>();
vi.mock('@standpipe/kit', async (original) => ({
  ...(await original<object>()),
  Button: (_: unknown, { testid, onclick }: { testid: string; onclick: () => Promise<void> }) =>
    taps.set(testid, onclick),
}));

const { Live } = await import('../src/live.svelte');
const { default: Sync } = await import('../src/screens/Sync.svelte');

const detail: SyncDetail = {
  line: {
    state: 'waiting',
    records: 1,
    photos: 0,
    bytes: 0,
    lost: 0,
    held: null,
    surroundings: { network: 'unknown', battery: 'unknown' },
    set_aside: 0,
    last_synced: null,
    trouble: { code: 'no-answer' },
  },
  hub: 'hub.example',
  records: [],
  photos: [],
  arrived: [],
  set_aside: [],
  seen_to: [],
  choices: { wait_for_wifi: false, wait_for_battery: false },
  clock_ahead: null,
};

it('a tap on the button of the sync screen asks the engine to try at once', async () => {
  vi.stubGlobal('location', { hash: '#/sync' });
  new Live('sync', () => Promise.resolve(detail)).take(detail);
  expect(render(Sync).body).toContain('data-testid="sync-line"');
  expect(invoke).not.toHaveBeenCalledWith('sync_now');
  invoke.mockResolvedValue(detail);
  await taps.get('sync-now')!();
  expect(invoke.mock.calls).toEqual([['sync_now'], ['sync_detail']]);
});
