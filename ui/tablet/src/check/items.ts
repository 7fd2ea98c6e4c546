import type { Answer, CheckView, EvidenceView, FieldConflict, FindingView, Item, Mark } from '@standpipe/kit';
import { judge, markOf } from '@standpipe/kit';

export const itemsOf = (view: CheckView): Item[] => view.checklist?.items ?? [];

/** The next item without an answer after `from`, from the top again after the last; `null` when all have one. */
export function nextOpen(view: CheckView, from: string | null): string | null {
  const items = itemsOf(view);
  const start = items.findIndex((item) => item.id === from) + 1;
  const order = [...items.slice(start), ...items.slice(0, start)];
  return order.find((item) => !view.answers[item.id] && item.id !== from)?.id ?? null;
}

/** The item after `from` in the list; `null` after the last. */
export function after(view: CheckView, from: string): string | null {
  const items = itemsOf(view);
  return items[items.findIndex((item) => item.id === from) + 1]?.id ?? null;
}

export const findingOf = (view: CheckView, item: string): FindingView | undefined =>
  view.answers[item]?.outcome === 'fail' ? view.findings.find((finding) => finding.item === item) : undefined;

/** The photos and clips of an item, with its finding or without. */
export function photosOf(view: CheckView, item: string): EvidenceView[] {
  const found = view.findings.filter((finding) => finding.item === item).flatMap((finding) => finding.photos);
  const own = view.photos.filter((photo) => photo.item === item);
  return [...new Map([...found, ...own].map((photo) => [photo.sha256, photo])).values()];
}

/** What an item is answered by now: as it was amended last, otherwise as it was signed. */
export const answerByNow = (view: CheckView, item: string): Answer | undefined =>
  view.amendments.filter((amendment) => amendment.item === item).at(-1)?.answer ?? view.answers[item];

/** A conflict's field is `answer:` and the item's id, or a field of the item's finding. */
export function conflictsOf(view: CheckView, item: string): FieldConflict[] {
  return view.conflicts.filter(({ field }) => field.split(':').slice(0, 2).includes(item) || field === item);
}

export function markOfItem(view: CheckView, item: string): Mark {
  if (conflictsOf(view, item).length > 0) return 'attention';
  const answer = view.answers[item];
  return answer ? markOf.outcome(answer.outcome) : 'open';
}

/** Whether water must not be drawn for this item yet. */
export const locked = (view: CheckView, item: Item): boolean => item.draws_water && view.open_interlocks.length > 0;

/** What a reading amounts to: outside its limit it fails; within, a fail that somebody chose stays one. */
export function outcomeOf(item: Item, value: number, before: Answer | undefined): 'pass' | 'fail' {
  if (item.answer.type !== 'reading') return 'pass';
  const { limit } = item.answer;
  const outside = (number: number) => ['too-low', 'too-high'].includes(judge(limit, number));
  if (outside(value)) return 'fail';
  const chosen = before?.outcome === 'fail' && !(before.reading && outside(before.reading.value));
  return chosen ? 'fail' : 'pass';
}
