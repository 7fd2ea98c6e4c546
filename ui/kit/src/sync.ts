import { bytes, clock, list, sentences } from './format';
import type { Millis, SyncLine, Trouble } from './generated/domain';
import { m } from './paraglide/messages.js';

/** The line at the foot of every screen: what is safe and where, then what is wrong, then what will happen. */
export function syncSentence(line: SyncLine, now: Millis = Date.now()): string {
  const things = waiting(line);
  const safeHere = things && m['sync.safeHere']({ things });
  const trouble = line.trouble && troubleSentence(line.trouble);
  switch (line.state) {
    case 'not-enrolled':
      return sentences(safeHere, m['sync.notEnrolled']());
    case 'needs-attention':
      return sentences(safeHere, trouble, attention(line.set_aside), synced(line, now));
    case 'sending':
      return sentences(things ? m['sync.sending']({ things }) : m['sync.nothing'](), synced(line, now));
    case 'safe':
      return sentences(trouble, m['sync.atOffice'](), confirmed(line, now));
    case 'waiting':
      return sentences(
        trouble,
        safeHere || m['sync.nothing'](),
        things && (!line.trouble || line.trouble.code === 'no-answer') && m['sync.willGo'](),
        synced(line, now),
      );
  }
}

export function troubleSentence(trouble: Trouble): string {
  return m[`trouble.${trouble.code}`]();
}

function waiting({ records, photos, bytes: size }: SyncLine): string {
  const things = [];
  if (records > 0) things.push(m['sync.records']({ count: records }));
  if (photos > 0) things.push(m['sync.photos']({ count: photos, size: bytes(size) }));
  return list(things);
}

function attention(count: number): string {
  return count > 0 ? m['sync.setAside']({ count }) : m['sync.look']();
}

function synced({ last_synced }: SyncLine, now: Millis): string {
  return last_synced === null ? m['sync.never']() : m['sync.last']({ when: clock(last_synced, now) });
}

function confirmed({ last_synced }: SyncLine, now: Millis): string {
  return last_synced === null ? '' : m['sync.confirmed']({ when: clock(last_synced, now) });
}
