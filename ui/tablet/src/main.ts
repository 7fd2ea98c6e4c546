import '@standpipe/kit/tokens.css';
import '@standpipe/kit/base.css';
import './app.css';
import { follow, markDocument } from '@standpipe/kit';
import { mount } from 'svelte';
import App from './App.svelte';
import { saveEverything } from './draft.svelte';
import { readKept } from './kept';
import { overwriteGetLocale } from './paraglide/runtime.js';

follow(overwriteGetLocale);
markDocument();

// The last chance before the system may end the app.
document.addEventListener('visibilitychange', saveEverything);
window.addEventListener('pagehide', saveEverything);

// An engine that could not be opened says so on the first screen.
await readKept().catch((error: unknown) => console.error(error));
mount(App, { target: document.getElementById('app')! });
