/** Everything that the app asks of the engine behind it. Nothing else in the app talks to the shell. */
import type {
  AsideId,
  AssetLine,
  AssetView,
  AttachTo,
  CheckView,
  Choices,
  EvidenceView,
  IssueLine,
  IssueView,
  NewAmendment,
  NewAnswer,
  NewFile,
  NewFinding,
  NewSignOff,
  Problem,
  RoundView,
  SealReport,
  SiteLine,
  StepRequest,
  SyncDetail,
  SyncLine,
  Today,
} from '@standpipe/kit';
import { Channel, convertFileSrc, invoke } from '@tauri-apps/api/core';
import { listen } from '@tauri-apps/api/event';

export const today = () => invoke<Today>('today');
/** Gives the folder of the site that was joined. */
export const enrol = (address: string, code: string) => invoke<string>('enrol', { address, code });

/** What an address names. A name that no record can have is refused by the shell, which has no code for it. */
async function named<T>(command: string, id: string): Promise<T> {
  try {
    return await invoke<T>(command, { id });
  } catch (error) {
    if (typeof error !== 'string') throw error;
    const problem: Problem = { code: 'unknown', message: error, details: {} };
    throw problem;
  }
}

export const round = (id: string) => named<RoundView>('round', id);
export const check = (id: string) => named<CheckView>('check', id);
export const answer = (given: NewAnswer) => invoke<CheckView>('answer', { new: given });
export const finding = (found: NewFinding) => invoke<CheckView>('finding', { new: found });
export const amend = (amendment: NewAmendment) => invoke<CheckView>('amend', { new: amendment });
export const detach = (check: string, item: string, sha256: string) =>
  invoke<CheckView>('detach', { check, item, sha256 });
/** Settles a conflict over the sides that were seen. */
export const resolve = (check: string, field: string, keep: string, seen: string[]) =>
  invoke<CheckView>('resolve', { check, field, keep, seen });

export const sign = (signOff: NewSignOff) => invoke<RoundView>('sign', { new: signOff });
export const verifySeals = (round: string) => invoke<SealReport[]>('verify_seals', { round });
/** Gives the path of the file. */
export const saveSeal = (id: string) => invoke<string>('save_seal', { id });
export const exportSeal = (id: string) => invoke<string>('export_seal', { id });

export const issues = () => invoke<IssueLine[]>('issues');
export const issue = (id: string) => named<IssueView>('issue', id);
export const issueStep = (id: string, request: StepRequest) => invoke<IssueView>('issue_step', { id, request });

export const search = (text: string) => invoke<AssetLine[]>('search', { text });
export const asset = (id: string) => named<AssetView>('asset', id);

export const drafts = () => invoke<Record<string, string>>('drafts');
export const keepDraft = (name: string, text: string) => invoke<null>('keep_draft', { name, text });

export const syncDetail = () => invoke<SyncDetail>('sync_detail');
export const syncNow = () => invoke<null>('sync_now');
/** The app is looked at again, or its network has come back: the office is asked at once. Harmless at any time. */
export const comeBack = () => invoke<null>('come_back');
/** Says that the person has seen to what was set aside, or takes that back. Nothing is deleted by it. */
export const seeTo = (things: AsideId[], seen: boolean) => invoke<null>('see_to', { things, seen });
export const choose = (choices: Choices) => invoke<null>('choose', { choices });
/** Sends the originals that wait by the person's choice, this once; `false` lets them wait again. */
export const sendAllTheSame = (all: boolean) => invoke<null>('send_all_the_same', { all });

/** All sites of the tablet, also those that were left and are not forgotten yet. */
export const sites = () => invoke<SiteLine[]>('sites');
/** Shows another site; one that was left is taken back by that. */
export const showSite = (folder: string) => invoke<null>('show_site', { folder });
/** Leaves a site, and so many texts that were typed there and not recorded. */
export const leaveSite = (folder: string, drafts: number) => invoke<null>('leave_site', { folder, drafts });

/** Fetches an original from the office. It resolves once the engine has it on its disk. */
export function fetchOriginal(sha256: string, progress: (percent: number) => void): Promise<null> {
  return invoke<null>('fetch_original', { sha256, progress: new Channel<number>(progress) });
}

/** Has the office asked where the photos are that were sealed in a round and that this tablet did not send. */
export const askOfSealed = (round: string) => invoke<null>('ask_of_sealed', { round });

/** What the screens show may have changed: whoever shows something asks for it again. */
export const onChanged = (hear: () => void) => listen('changed', hear);
export const onSync = (hear: (line: SyncLine) => void) => listen<SyncLine>('sync', ({ payload }) => hear(payload));
/** The list of sites has changed: whoever shows it asks for it again. */
export const onSites = (hear: () => void) => listen('sites', hear);

/** The address of a picture. The part after the scheme is one percent-encoded path. */
export const picture = (sha256: string, size: 'thumb' | 'preview' | 'original') =>
  convertFileSrc(`${sha256}/${size}`, 'evidence');

/** How much of a file is handed over at a time: enough to be quick, little enough for a tablet's memory. */
export const PIECE = 4 * 1024 * 1024;

/** Brings a file in. It resolves once the engine has the bytes on its disk under their hash, not before. */
export async function attach(file: File, to: AttachTo, progress: (share: number) => void): Promise<EvidenceView> {
  const begin: NewFile = { name: file.name, bytes: file.size, to };
  const upload = await invoke<string>('attach_begin', { file: begin });
  try {
    for (let at = 0; at < file.size; at += PIECE) {
      const piece = await read(file.slice(at, at + PIECE));
      const arrived = await invoke<number>('attach_chunk', piece, { headers: { upload } });
      progress(arrived / file.size);
    }
    return await invoke<EvidenceView>('attach_end', { upload });
  } catch (error) {
    // What has arrived of it is of no use; that it could not be thrown away changes nothing for the person.
    await invoke('attach_cancel', { upload }).catch(() => undefined);
    throw error;
  }
}

async function read(piece: Blob): Promise<Uint8Array> {
  try {
    return new Uint8Array(await piece.arrayBuffer());
  } catch (error) {
    const problem: Problem = { code: 'unreadable-file', message: String(error), details: {} };
    throw problem;
  }
}
