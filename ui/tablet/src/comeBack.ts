import { comeBack } from './engine';

/**
 * Has the office asked at once when somebody looks at the app again, or its network has come back, for as long as the app
 * is shown: while a tablet sleeps, the pauses between tries do not go on.
 */
export function followReturns(): () => void {
  const following = new AbortController();
  const { signal } = following;
  // An engine that cannot be reached is told of by the screen that is shown.
  const back = () => void comeBack().catch(() => undefined);
  const seen = () => document.visibilityState === 'visible' && back();
  window.addEventListener('online', back, { signal });
  window.addEventListener('focus', back, { signal });
  document.addEventListener('visibilitychange', seen, { signal });
  return () => following.abort();
}
