import { beforeEach, describe, expect, it, vi } from 'vitest';

const invoke = vi.fn();
vi.mock('@tauri-apps/api/core', () => ({ invoke, convertFileSrc: vi.fn() }));
vi.mock('@tauri-apps/api/event', () => ({ listen: vi.fn() }));

const { keep, kept, letGo } = await import('../src/kept');

const saved = new Map<string, string>();
const save = async (_: string, { name, text }: { name: string; text: string }) => void saved.set(name, text);

beforeEach(() => {
  saved.clear();
  invoke.mockReset().mockImplementation(save);
});

describe('what is kept', () => {
  it('is durable when it is called kept, also right after something else was', async () => {
    // The second comes in at each point of the first one's end.
    for (let moment = 0; moment < 8; moment += 1) {
      void keep('one', `${moment}`);
      for (let tick = 0; tick < moment; tick += 1) await Promise.resolve();
      await keep('two', `${moment}`);
      expect(saved.get('two')).toBe(`${moment}`);
    }
  });

  it('is offered again with the next after a refusal', async () => {
    invoke.mockRejectedValueOnce({ code: 'disk-full' });
    await expect(keep('one', '锈')).rejects.toEqual({ code: 'disk-full' });
    await keep('two', '渗水');
    expect([saved.get('one'), saved.get('two')]).toEqual(['锈', '渗水']);
  });

  it('is let go of only while it is what was taken', async () => {
    await keep('one', '门');
    await keep('one', '门锁着');
    await letGo('one', '门');
    expect([kept('one'), saved.get('one')]).toEqual(['门锁着', '门锁着']);
    await letGo('one', '门锁着');
    expect([kept('one'), saved.get('one')]).toEqual(['', '']);
  });
});
