import { eventsUrl } from './api';

// Many changes come together; asking again for each would only ask for the same thing.
const gather = 150;
const tryAgain = 5000;
const refused = 2;

let version = $state(0);
let connected = $state(true);

export const live = {
  /** Goes up whenever the hub's records changed: whatever reads it asks again. */
  get version() {
    return version;
  },
  /** Whether the hub can tell us about changes. */
  get connected() {
    return connected;
  },
};

export function changed(): void {
  version += 1;
}

/** Listens for changes until the returned function is called. The hub begins with one, for what was missed. */
export function listen(open: (url: string) => EventSource = (url) => new EventSource(url)): () => void {
  let source: EventSource | null = null;
  let gathering: ReturnType<typeof setTimeout> | undefined;
  let retry: ReturnType<typeof setTimeout> | undefined;

  function begin(): void {
    const own = (source = open(eventsUrl));
    own.addEventListener('open', () => (connected = true));
    own.addEventListener('changed', () => {
      gathering ??= setTimeout(() => {
        gathering = undefined;
        changed();
      }, gather);
    });
    own.addEventListener('error', () => {
      connected = false;
      // The browser tries again by itself after a broken line, but not after a refusal.
      if (own.readyState !== refused) return;
      clearTimeout(retry);
      retry = setTimeout(begin, tryAgain);
      // If it was refused because nobody is signed in any more, asking again shows it.
      changed();
    });
  }

  begin();
  return () => {
    clearTimeout(gathering);
    clearTimeout(retry);
    source?.close();
    connected = true;
  };
}
