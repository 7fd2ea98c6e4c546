import type {
  Amendment,
  Answer,
  ConflictSide,
  EvidenceView,
  FindingView,
  Item,
  OfficeCheck,
  SealReport,
} from '@standpipe/kit';

/** One question of a stop with everything that was recorded to it. */
export interface Entry {
  id: string;
  /** Absent when the checklist is not known here. */
  item: Item | null;
  answer: Answer | null;
  finding: FindingView | null;
  photos: EvidenceView[];
  /** Changes after the stop was sealed, oldest first. */
  amendments: Amendment[];
  /** What two people answered, where they differ. */
  sides: ConflictSide[];
  /** What both started from, where that is one answer. */
  base: ConflictSide | null;
}

/** The questions of a stop in the checklist's order, then what was answered beside it. */
export function entriesOf(
  { id, checklist, answers, photos, amendments, conflicts }: OfficeCheck,
  findings: FindingView[],
): Entry[] {
  const own = findings.filter((finding) => finding.check === id);
  const items = new Map((checklist?.items ?? []).map((item) => [item.id, item]));
  const recorded = [...Object.keys(answers), ...own.map((finding) => finding.item)];
  return [...new Set([...items.keys(), ...recorded])].map((key) => {
    const finding = own.find((one) => one.item === key) ?? null;
    const conflict = conflicts.find(({ field }) => field === `answer:${key}`);
    const here = [...(finding?.photos ?? []), ...photos.filter((photo) => photo.item === key)];
    return {
      id: key,
      item: items.get(key) ?? null,
      answer: answers[key] ?? null,
      finding,
      photos: distinct(here),
      amendments: amendments.filter((one) => one.item === key),
      sides: conflict?.sides ?? [],
      base: conflict?.base ?? null,
    };
  });
}

/** Photos of a stop that belong to no question. */
export function looseOf(check: OfficeCheck, entries: Entry[]): EvidenceView[] {
  const placed = new Set(entries.flatMap(({ photos }) => photos.map(({ sha256 }) => sha256)));
  return distinct(check.photos.filter(({ sha256 }) => !placed.has(sha256)));
}

/** How much of a stop is recorded. */
export function tally(check: OfficeCheck, findings: FindingView[]) {
  const entries = entriesOf(check, findings);
  const photos = entries.reduce((sum, entry) => sum + entry.photos.length, looseOf(check, entries).length);
  return {
    items: entries.length,
    answered: entries.filter(({ answer }) => answer).length,
    photos,
  };
}

/** What the verification of a seal came to: good only when everything it looked at is. */
export function verdict(seal: SealReport | undefined): 'good' | 'bad' | 'waiting' {
  if (!seal) return 'waiting';
  return seal.genuine && seal.unchanged ? 'good' : 'bad';
}

const distinct = (photos: EvidenceView[]): EvidenceView[] => [
  ...new Map(photos.map((photo) => [photo.sha256, photo])).values(),
];
