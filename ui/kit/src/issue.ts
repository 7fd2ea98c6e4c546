import { list } from './format';
import type { IssueView } from './generated/domain';
import { names } from './names';
import { m } from './paraglide/messages.js';

type Statuses = Pick<IssueView, 'statuses'>;

/** What whoever looks at an issue sees of its status, as a step names it. */
export const seenOf = ({ statuses }: Statuses): string[] => statuses.map(({ rev }) => rev);

/** That several statuses stand, and who said which; empty where one does. */
export function severalStatuses({ statuses }: Statuses): string {
  if (statuses.length < 2) return '';
  const said = statuses.map(({ status, by }) => m['several.one']({ status: names.status(status), by }));
  return m['several.note']({ statuses: list(said) });
}
