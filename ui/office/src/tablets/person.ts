import type { Person, Role } from '@standpipe/kit';

/** Who may record checks. The table is the domain's; a test holds this line against it. */
export const RECORDERS: readonly Role[] = ['inspector'];

/** Whether a tablet on which this person is enrolled takes records of checks. */
export const mayRecord = ({ roles }: Pick<Person, 'roles'>): boolean => roles.some((role) => RECORDERS.includes(role));
