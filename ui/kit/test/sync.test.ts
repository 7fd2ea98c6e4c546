import { afterEach, describe, expect, it } from 'vitest';
import type { SyncLine, SyncState, Trouble } from '../src';
import { languages, speak, syncSentence } from '../src';

const now = new Date(2023, 6, 1, 11, 0).getTime();
const synced = new Date(2023, 6, 1, 10, 42).getTime();

const line = (state: SyncState, more: Partial<SyncLine> = {}): SyncLine => ({
  state,
  records: 0,
  photos: 0,
  bytes: 0,
  lost: 0,
  held: null,
  surroundings: { network: 'unknown', battery: 'unknown' },
  set_aside: 0,
  last_synced: synced,
  trouble: null,
  ...more,
});
const load = { records: 12, photos: 8, bytes: 24_000_000 };
const offline: Trouble = { code: 'no-answer' };

afterEach(() => speak('zh-CN'));

describe('the sync line', () => {
  it.each<[string, SyncLine, string, string]>([
    [
      'offline with work waiting says what is safe, how much, and since when',
      line('waiting', { ...load, trouble: offline }),
      '离线。12 条记录和 8 件照片和短视频（24\u00a0MB）已安全保存在本平板上。会自动上传。上次同步 10:42。',
      'Offline. Safe on this tablet: 12 records and 8 photos and clips (24\u00a0MB). They go up by themselves. Last synced 10:42.',
    ],
    [
      'waiting with a network says that it goes up by itself',
      line('waiting', { records: 1 }),
      '1 条记录已安全保存在本平板上。会自动上传。上次同步 10:42。',
      'Safe on this tablet: 1 record. It goes up by itself. Last synced 10:42.',
    ],
    [
      'sending counts what is still on its way',
      line('sending', { photos: 1, bytes: 3_300_000 }),
      '正在上传。还有 1 件照片和短视频（3.3\u00a0MB）在途，都已安全保存在本平板上。上次同步 10:42。',
      'Sending. Still on its way, and safe on this tablet: 1 photo or clip (3.3\u00a0MB). Last synced 10:42.',
    ],
    [
      'safe says who has it and when that was confirmed',
      line('safe'),
      '全部内容都已到达办公室。确认于 10:42。',
      'Everything is at the office. Confirmed 10:42.',
    ],
    [
      'safe but out of reach says both',
      line('safe', { trouble: offline }),
      '离线。全部内容都已到达办公室。确认于 10:42。',
      'Offline. Everything is at the office. Confirmed 10:42.',
    ],
    [
      'what is at no office is not said to be there, also where somebody has seen to it',
      line('safe-but'),
      '除已标记处理、办公室没有的内容外，全部内容都已到达办公室。确认于 10:42。',
      'Everything is at the office, except what was marked as seen to and is not there. Confirmed 10:42.',
    ],
    [
      'what was set aside is counted beside what is safe',
      line('needs-attention', { records: 2, set_aside: 2 }),
      '2 条记录已安全保存在本平板上。有 2 项被搁置。上次同步 10:42。',
      'Safe on this tablet: 2 records. 2 things were set aside. Last synced 10:42.',
    ],
    [
      'a tablet without an office does not pretend to wait for one',
      line('not-enrolled', { records: 3, last_synced: null }),
      '3 条记录已安全保存在本平板上。本平板还没有接入办公室。',
      'Safe on this tablet: 3 records. This tablet does not belong to an office yet.',
    ],
    [
      'never synced is said, not left out',
      line('waiting', { last_synced: null, trouble: offline }),
      '离线。本平板上没有待传内容。尚未同步。',
      'Offline. Nothing waits on this tablet. Not synced yet.',
    ],
    [
      'what waits for Wi‑Fi is told with its count and its bytes, beside what goes by itself',
      line('waiting', { ...load, held: { why: 'network', photos: 8, bytes: 24_000_000, released: false } }),
      '12 条记录和 8 件照片和短视频（24\u00a0MB）已安全保存在本平板上。照片和短视频等待 Wi‑Fi。其余会自动上传。上次同步 10:42。',
      'Safe on this tablet: 12 records and 8 photos and clips (24\u00a0MB). The photos and clips wait for Wi‑Fi. The rest goes up by itself. Last synced 10:42.',
    ],
    [
      'when only originals wait, nothing is said to go by itself',
      line('waiting', {
        photos: 1,
        bytes: 3_300_000,
        held: { why: 'battery', photos: 1, bytes: 3_300_000, released: false },
      }),
      '1 件照片和短视频（3.3\u00a0MB）已安全保存在本平板上，等待充电。上次同步 10:42。',
      'Safe on this tablet and waiting for the charger: 1 photo or clip (3.3\u00a0MB). Last synced 10:42.',
    ],
    [
      'while records are sent, photos that wait are not said to be on their way',
      line('sending', { ...load, held: { why: 'network', photos: 8, bytes: 24_000_000, released: false } }),
      '正在上传。12 条记录和 8 件照片和短视频（24\u00a0MB）已安全保存在本平板上。照片和短视频等待 Wi‑Fi。上次同步 10:42。',
      'Sending. Safe on this tablet: 12 records and 8 photos and clips (24\u00a0MB). The photos and clips wait for Wi‑Fi. Last synced 10:42.',
    ],
    [
      'what is sent all the same is on its way',
      line('sending', {
        photos: 1,
        bytes: 3_300_000,
        held: { why: 'network', photos: 1, bytes: 3_300_000, released: true },
      }),
      '正在上传。还有 1 件照片和短视频（3.3\u00a0MB）在途，都已安全保存在本平板上。上次同步 10:42。',
      'Sending. Still on its way, and safe on this tablet: 1 photo or clip (3.3\u00a0MB). Last synced 10:42.',
    ],
    [
      'what the office may have lost is being asked for, and not said to be safe',
      line('checking'),
      '正在与办公室核对内容是否齐全。上次同步 10:42。',
      'Checking with the office that everything is still there. Last synced 10:42.',
    ],
    [
      'out of reach it is asked for later',
      line('checking', { trouble: offline }),
      '离线。内容是否齐全尚待核对。上次同步 10:42。',
      'Offline. It is still to be checked that everything is at the office. Last synced 10:42.',
    ],
    [
      'of photos of which only some wait, it says which',
      line('waiting', { ...load, held: { why: 'battery', photos: 5, bytes: 20_000_000, released: false } }),
      '12 条记录和 8 件照片和短视频（24\u00a0MB）已安全保存在本平板上。其中 5 件照片和短视频（20\u00a0MB）等待充电。其余会自动上传。上次同步 10:42。',
      'Safe on this tablet: 12 records and 8 photos and clips (24\u00a0MB). Of these, waiting for the charger: 5 photos and clips (20\u00a0MB). The rest goes up by itself. Last synced 10:42.',
    ],
    [
      'a withdrawn tablet says first that nothing recorded is lost',
      line('needs-attention', { set_aside: 11, trouble: { code: 'revoked' } }),
      '记录均未丢失。办公室已停用本平板。有 11 项被搁置。上次同步 10:42。',
      'No record is lost. The office has withdrawn this tablet. 11 things were set aside. Last synced 10:42.',
    ],
    [
      'a photo whose file is gone is not said to be safe',
      line('needs-attention', { photos: 1, bytes: 4_000_000, set_aside: 3, lost: 1 }),
      '1 件照片和短视频（4\u00a0MB）已安全保存在本平板上。有 1 件照片或短视频的文件已丢失或损坏。有 2 项被搁置。上次同步 10:42。',
      'Safe on this tablet: 1 photo or clip (4\u00a0MB). The file of 1 photo or clip is lost or damaged. 2 things were set aside. Last synced 10:42.',
    ],
    [
      'where all that waits is gone, nothing is said to be kept',
      line('needs-attention', { set_aside: 1, lost: 1 }),
      '有 1 件照片或短视频的文件已丢失或损坏。上次同步 10:42。',
      'The file of 1 photo or clip is lost or damaged. Last synced 10:42.',
    ],
  ])('%s', (_, shown, zh, en) => {
    speak('zh-CN');
    expect(syncSentence(shown, now)).toBe(zh);
    speak('en');
    expect(syncSentence(shown, now)).toBe(en);
  });

  it('adds the day once it is not today any more', () => {
    speak('en');
    const sentence = syncSentence(line('safe', { last_synced: new Date(2023, 5, 30, 10, 42).getTime() }), now);
    expect(sentence).toContain('Jun 30, 2023');
  });

  it('has a sentence of its own for every trouble in both languages', () => {
    const codes = [
      'no-answer',
      'not-a-hub',
      'bad-address',
      'revoked',
      'unknown-tablet',
      'hub-newer',
      'hub-older',
      'hub-full',
      'quarantine-full',
      'hub-busy',
    ] as const;
    const troubles: Trouble[] = [
      ...codes.map((code) => ({ code })),
      { code: 'hub-fault', detail: 'disk' },
      { code: 'tablet-fault', detail: 'disk' },
    ];
    for (const language of languages) {
      speak(language);
      const said = troubles.map((trouble) => syncSentence(line('waiting', { ...load, trouble }), now));
      expect(new Set(said).size).toBe(troubles.length);
    }
  });

  it('says at most once that something is safe here', () => {
    const states: SyncState[] = ['waiting', 'sending', 'needs-attention'];
    for (const [language, safe] of [
      ['zh-CN', /安全保存/g],
      ['en', /safe on this tablet/gi],
    ] as const) {
      speak(language);
      for (const state of states)
        for (const photos of [3, 8]) {
          const held = { why: 'network', photos, bytes: 9_000_000, released: false } as const;
          expect(syncSentence(line(state, { ...load, held }), now).match(safe)).toHaveLength(1);
        }
    }
  });

  it('says a word and a full stop in every state: never a bare tick, never an empty line', () => {
    const states: SyncState[] = [
      'not-enrolled',
      'waiting',
      'sending',
      'checking',
      'safe',
      'safe-but',
      'needs-attention',
    ];
    for (const language of languages) {
      speak(language);
      for (const state of states) expect(syncSentence(line(state), now)).toMatch(/\p{L}{4}.*[.。]$/u);
    }
  });
});
