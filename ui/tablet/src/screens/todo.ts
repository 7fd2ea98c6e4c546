import type { Trouble } from '@standpipe/kit';
import { m } from '../paraglide/messages.js';

const todo: Partial<Record<Trouble['code'], () => string>> = {
  'not-a-hub': m['sync.todo.not-a-hub'],
  'bad-address': m['sync.todo.bad-address'],
  revoked: m['sync.todo.revoked'],
  'unknown-tablet': m['sync.todo.revoked'],
  'hub-older': m['sync.todo.hub-older'],
  'hub-fault': m['sync.todo.hub-fault'],
  'tablet-fault': m['sync.todo.tablet-fault'],
};

/** What a person can do about it; empty where the line has said it, or nothing is to be done but wait. */
export const whatToDo = (trouble: Trouble | null): string => (trouble && todo[trouble.code]?.()) ?? '';
