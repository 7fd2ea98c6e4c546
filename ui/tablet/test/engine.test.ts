import { beforeEach, describe, expect, it, vi } from 'vitest';

const invoke = vi.fn();
vi.mock('@tauri-apps/api/core', () => ({
  invoke,
  convertFileSrc: (path: string, scheme: string) => `${scheme}:${path}`,
}));
vi.mock('@tauri-apps/api/event', () => ({ listen: vi.fn() }));

const { asset, attach, PIECE } = await import('../src/engine');

const to = { to: 'item', check: 'c', item: 'i' } as const;
const file = (bytes: number) => new File([new Uint8Array(bytes).fill(7)], '栓口.jpg');

beforeEach(() => void invoke.mockReset());

describe('an address', () => {
  it('whose name no record can have leads to nothing, and says so', async () => {
    invoke.mockRejectedValueOnce('invalid args `id` for command `asset`');
    await expect(asset('x')).rejects.toMatchObject({ code: 'unknown' });
    invoke.mockRejectedValueOnce({ code: 'database-fault' });
    await expect(asset('x')).rejects.toEqual({ code: 'database-fault' });
  });
});

describe('bringing a file in', () => {
  it('hands it over whole, in pieces of at most 4 MiB, one after the other', async () => {
    let open = 0;
    let arrived = 0;
    invoke.mockImplementation(async (command: string, given: unknown, options?: unknown) => {
      if (command === 'attach_begin') return 'u7';
      if (command === 'attach_end') return { sha256: 'ab' };
      expect(command).toBe('attach_chunk');
      expect(options).toEqual({ headers: { upload: 'u7' } });
      expect((open += 1)).toBe(1);
      await Promise.resolve();
      open -= 1;
      expect((given as Uint8Array).byteLength).toBeLessThanOrEqual(PIECE);
      return (arrived += (given as Uint8Array).byteLength);
    });
    const shares: number[] = [];
    await expect(attach(file(2 * PIECE + 5), to, (share) => shares.push(share))).resolves.toEqual({ sha256: 'ab' });
    expect(arrived).toBe(2 * PIECE + 5);
    expect(invoke.mock.calls[0]).toEqual(['attach_begin', { file: { name: '栓口.jpg', bytes: 2 * PIECE + 5, to } }]);
    expect(shares.at(-1)).toBe(1);
    expect(shares).toHaveLength(3);
  });

  it('does not resolve before the engine says that it is on disk', async () => {
    let end: (view: unknown) => void = () => {};
    invoke.mockImplementation((command: string) => {
      if (command === 'attach_end') return new Promise((resolve) => (end = resolve));
      return Promise.resolve(command === 'attach_begin' ? 'u' : 1);
    });
    let safe = false;
    const bringing = attach(file(1), to, () => {}).then(() => (safe = true));
    await vi.waitFor(() => expect(invoke).toHaveBeenCalledWith('attach_end', { upload: 'u' }));
    expect(safe).toBe(false);
    end({});
    await bringing;
    expect(safe).toBe(true);
  });

  it('throws away what arrived of a file that was refused, and tells why', async () => {
    invoke.mockImplementation((command: string) => {
      if (command === 'attach_chunk') return Promise.reject({ code: 'no-room' });
      return Promise.resolve('u');
    });
    await expect(attach(file(1), to, () => {})).rejects.toEqual({ code: 'no-room' });
    expect(invoke).toHaveBeenLastCalledWith('attach_cancel', { upload: 'u' });
  });

  it('says of a file that cannot be read that it cannot be read', async () => {
    invoke.mockResolvedValue('u');
    const gone = file(10);
    gone.slice = () => ({ arrayBuffer: () => Promise.reject(new Error('NotFoundError')) }) as unknown as Blob;
    await expect(attach(gone, to, () => {})).rejects.toMatchObject({ code: 'unreadable-file' });
  });
});
