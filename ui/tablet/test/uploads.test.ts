import { beforeEach, describe, expect, it, vi } from 'vitest';

const attach = vi.fn();
vi.mock('../src/engine', () => ({ attach }));

const { bring, dismiss, send, unsafeIn, uploadsTo } = await import('../src/uploads.svelte');

const door = { to: 'item', check: 'c1', item: 'door' } as const;
const fix = { to: 'issue', issue: 'i' } as const;
const file = (name: string) => new File(['x'], name);
const arrived = vi.fn(() => Promise.resolve());
const full = { code: 'no-room' };

beforeEach(() => {
  attach.mockReset().mockResolvedValue({});
  arrived.mockClear();
  for (const to of [door, fix]) for (const upload of uploadsTo(to)) dismiss(upload);
});

describe('files that come in', () => {
  it('are not safe while they come in, nor those behind them', async () => {
    let end = () => {};
    attach.mockImplementation(() => new Promise<void>((done) => (end = done)));
    const bringing = bring([file('1'), file('2')], door, arrived);
    expect(unsafeIn(['c1', 'c2'])).toEqual([{ check: 'c1', item: 'door', count: 2 }]);
    end();
    await vi.waitFor(() => expect(unsafeIn(['c1'])).toMatchObject([{ count: 1 }]));
    end();
    await bringing;
    expect(unsafeIn(['c1'])).toEqual([]);
    expect(arrived).toHaveBeenCalledTimes(2);
  });

  it('and fail are not safe until they come in or somebody drops them', async () => {
    attach.mockRejectedValue(full);
    await bring([file('1'), file('2')], door, arrived);
    expect(uploadsTo(door).map(({ problem }) => problem)).toEqual([full, full]);
    attach.mockResolvedValue({});
    await send(uploadsTo(door)[0]!);
    expect(unsafeIn(['c1'])).toMatchObject([{ count: 1 }]);
    dismiss(uploadsTo(door)[0]!);
    expect(unsafeIn(['c1'])).toEqual([]);
  });

  it('stand in the way of their own round only', async () => {
    attach.mockRejectedValue(full);
    await bring([file('1')], door, arrived);
    await bring([file('2')], fix, arrived);
    expect(unsafeIn(['c2'])).toEqual([]);
    expect(uploadsTo(fix)).toHaveLength(1);
  });

  it('are safe although the screen that they were added on is gone', async () => {
    arrived.mockImplementationOnce(() => {
      throw new TypeError('gone');
    });
    await bring([file('1'), file('2')], door, arrived);
    expect(uploadsTo(door)).toEqual([]);
    expect(attach).toHaveBeenCalledTimes(2);
  });
});
