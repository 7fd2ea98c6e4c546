import { asProblem, seenOf, type IssueView, type Step } from '@standpipe/kit';
import { api } from '../session.svelte';
import { begin, request, type Draft } from './steps';

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

/**
 * Takes a step over what was seen when its form was opened. Where somebody else was first, the draft stays as it is; `look`
 * shows what they did, and from then on that counts as seen.
 */
export async function take(
  issue: string,
  step: Step,
  draft: Draft,
  look: (view: IssueView) => void,
): Promise<IssueView> {
  try {
    return await api.step(issue, request(step, draft));
  } catch (refusal) {
    const view = asProblem(refusal).code === 'moved-on' && (await api.issue(issue).catch(() => null));
    if (view) {
      look(view);
      draft.seen = seenOf(view);
    }
    throw refusal;
  }
}

export function forget(issue: string, step: Step): void {
  drafts.delete(key(issue, step));
}
