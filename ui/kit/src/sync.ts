import { bytes, clock, list, sentences } from './format';
import type { Held, Millis, SyncLine, Trouble } from './generated/domain';
import { m } from './paraglide/messages.js';

/** The line at the foot of every screen: what is safe and where, then what is wrong, then what will happen. */
export function syncSentence(line: SyncLine, now: Millis = Date.now()): string {
  const held = waits(line.held);
  const going = thingsThatWait({
    records: line.records,
    photos: line.photos - (held?.photos ?? 0),
    bytes: line.bytes - (held?.bytes ?? 0),
  });
  const all = thingsThatWait(line);
  // Where nothing but what is held back waits, one sentence says both of it.
  const isAllHeld = held && !going;
  // A sentence for one thing, and another for several.
  const goes = { count: line.records + line.photos - (held?.photos ?? 0) };
  const safe = all && (isAllHeld ? m[`sync.held-${held.why}`]({ things: all }) : m['sync.safeHere']({ things: all }));
  const waiting = held && going && heldSentence(held, line);
  const trouble = line.trouble && troubleSentence(line.trouble);
  switch (line.state) {
    case 'not-enrolled':
      return sentences(safe, m['sync.notEnrolled']());
    case 'needs-attention':
      return sentences(safe || (line.lost === 0 && kept(line)), waiting, trouble, attention(line), synced(line, now));
    case 'sending':
      return waiting
        ? sentences(m['sync.sendingNow'](), safe, waiting, synced(line, now))
        : sentences(going ? m['sync.sending']({ things: going }) : safe, synced(line, now));
    case 'checking':
      return sentences(trouble, trouble ? m['sync.willCheck']() : m['sync.checking'](), synced(line, now));
    case 'safe':
      return sentences(trouble, m['sync.atOffice'](), confirmed(line, now));
    case 'safe-but':
      return sentences(trouble, m['sync.atOfficeBut'](), confirmed(line, now));
    case 'waiting':
      return sentences(
        trouble,
        safe || m['sync.nothing'](),
        waiting,
        going &&
          (!line.trouble || line.trouble.code === 'no-answer') &&
          (waiting ? m['sync.restGoes']() : m['sync.willGo'](goes)),
        synced(line, now),
      );
  }
}

/** What is held back, unless the person has it sent all the same. */
export const waits = (held: Held | null | undefined): Held | null => (held && !held.released ? held : null);

/** Photos and their size, as one thing to be counted. */
export const photosSentence = ({ photos, bytes: size }: Pick<SyncLine, 'photos' | 'bytes'>): string =>
  m['sync.photos']({ count: photos, size: bytes(size) });

export function troubleSentence(trouble: Trouble): string {
  return m[`trouble.${trouble.code}`]();
}

/** Records and photos, as one thing to be told of; empty where there are none. */
export function thingsThatWait({
  records,
  photos,
  bytes: size,
}: Pick<SyncLine, 'records' | 'photos' | 'bytes'>): string {
  const things = [];
  if (records > 0) things.push(m['sync.records']({ count: records }));
  if (photos > 0) things.push(photosSentence({ photos, bytes: size }));
  return list(things);
}

/** Which of the things that were told of do not go for now. */
function heldSentence(held: Held, { photos }: SyncLine): string {
  return held.photos < photos
    ? m[`sync.someWait-${held.why}`]({ things: photosSentence(held) })
    : m[`sync.photosWait-${held.why}`]({ count: photos });
}

/** What was set aside is told as such only behind this: each record is at the office or here. */
function kept({ set_aside, trouble }: SyncLine): string {
  return set_aside > 0 || trouble?.code === 'revoked' || trouble?.code === 'unknown-tablet' ? m['sync.kept']() : '';
}

/** What was set aside; what of it is lost is told as such. */
function attention({ set_aside, lost }: SyncLine): string {
  if (set_aside === 0) return m['sync.look']();
  const rest = set_aside - lost;
  return sentences(lost > 0 && m['sync.lost']({ count: lost }), rest > 0 && m['sync.setAside']({ count: rest }));
}

function synced({ last_synced }: SyncLine, now: Millis): string {
  return last_synced === null ? m['sync.never']() : m['sync.last']({ when: clock(last_synced, now) });
}

function confirmed({ last_synced }: SyncLine, now: Millis): string {
  return last_synced === null ? '' : m['sync.confirmed']({ when: clock(last_synced, now) });
}
