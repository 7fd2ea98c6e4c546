import type { IssueView, Step } from '@standpipe/kit';
import { begin, type Draft } from './steps';

const drafts = new Map<string, Draft>();
const key = (issue: string, step: Step) => `${issue} ${step}`;

/** What was begun for this step of this issue, kept while other issues and pages are looked at. */
export function draftOf(issue: IssueView, step: Step): Draft {
  const held = drafts.get(key(issue.id, step));
  if (held) return held;
  const draft = $state(begin(step, issue));
  drafts.set(key(issue.id, step), draft);
  return draft;
}

export function forget(issue: string, step: Step): void {
  drafts.delete(key(issue, step));
}
