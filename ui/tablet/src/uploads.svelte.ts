import type { AttachTo } from '@standpipe/kit';
import { attach } from './engine';

/** A file on its way from the camera into the tablet's own store. Only then is it safe. */
export class Upload {
  readonly file: File;
  share = $state(0);
  problem = $state.raw<unknown>(null);

  constructor(file: File) {
    this.file = file;
  }
}

const uploads = $state<Record<string, Upload[]>>({});

const place = (to: AttachTo) => (to.to === 'item' ? `${to.check}/${to.item}` : to.issue);

/** Files on their way to one place, also those that an earlier visit of the screen began. */
export const uploadsTo = (to: AttachTo): Upload[] => uploads[place(to)] ?? [];

/** Brings files in, one after the other: side by side they would only take each other's memory. */
export async function bring(files: File[], to: AttachTo, then: () => Promise<void>): Promise<void> {
  const waiting = files.map((file) => new Upload(file));
  uploads[place(to)] = [...uploadsTo(to), ...waiting];
  for (const upload of waiting) await send(upload, to, then);
}

export async function send(upload: Upload, to: AttachTo, then: () => Promise<void>): Promise<void> {
  upload.problem = null;
  upload.share = 0;
  try {
    await attach(upload.file, to, (share) => (upload.share = share));
  } catch (error) {
    upload.problem = error;
    return;
  }
  await then();
  dismiss(upload, to);
}

export function dismiss(upload: Upload, to: AttachTo): void {
  uploads[place(to)] = uploadsTo(to).filter((other) => other !== upload);
}
