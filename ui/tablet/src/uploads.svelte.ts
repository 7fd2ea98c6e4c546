import type { AttachTo } from '@standpipe/kit';
import { attach } from './engine';

/** A file on its way from the camera into the tablet's own store. Only then is it safe. */
export class Upload {
  readonly file: File;
  readonly to: AttachTo;
  /** What to do once it is safe. */
  readonly arrived: () => Promise<void>;
  share = $state(0);
  problem = $state.raw<unknown>(null);

  constructor(file: File, to: AttachTo, arrived: () => Promise<void>) {
    this.file = file;
    this.to = to;
    this.arrived = arrived;
  }
}

/** All that are not safe yet, also those that an earlier visit of a screen began. */
let uploads = $state.raw<Upload[]>([]);

const place = (to: AttachTo) => (to.to === 'item' ? `${to.check}/${to.item}` : to.issue);

export const uploadsTo = (to: AttachTo): Upload[] => uploads.filter((upload) => place(upload.to) === place(to));

/** Whether every file that somebody added is safe, or was dismissed. */
export const everythingIn = (): boolean => uploads.length === 0;

/** An item to which files are still coming in, or could not come in and wait for somebody to say what becomes of them. */
export interface Unsafe {
  check: string;
  item: string;
  count: number;
}

export function unsafeIn(checks: string[]): Unsafe[] {
  const found = new Map<string, Unsafe>();
  for (const { to } of uploads) {
    if (to.to !== 'item' || !checks.includes(to.check)) continue;
    const before = found.get(place(to))?.count ?? 0;
    found.set(place(to), { check: to.check, item: to.item, count: before + 1 });
  }
  return [...found.values()];
}

/** Brings files in, one after the other: side by side they would only take each other's memory. */
export async function bring(files: File[], to: AttachTo, arrived: () => Promise<void>): Promise<void> {
  const waiting = files.map((file) => new Upload(file, to, arrived));
  uploads = [...uploads, ...waiting];
  for (const upload of waiting) await send(upload);
}

export async function send(upload: Upload): Promise<void> {
  upload.problem = null;
  upload.share = 0;
  try {
    await attach(upload.file, upload.to, (share) => (upload.share = share));
  } catch (error) {
    upload.problem = error;
    return;
  }
  try {
    await upload.arrived();
  } catch {
    // The screen that it was added on is gone. The file is safe all the same.
  }
  dismiss(upload);
}

export function dismiss(upload: Upload): void {
  uploads = uploads.filter((other) => other !== upload);
}
