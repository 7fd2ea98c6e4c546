import '@standpipe/kit/tokens.css';
import '@standpipe/kit/base.css';
import './app.css';
import { follow, markDocument } from '@standpipe/kit';
import { mount } from 'svelte';
import App from './App.svelte';
import { saveEverything } from './draft.svelte';
import { overwriteGetLocale } from './paraglide/runtime.js';

follow(overwriteGetLocale);
markDocument();

// The last chance before the system may end the app.
document.addEventListener('visibilitychange', saveEverything);
window.addEventListener('pagehide', saveEverything);

mount(App, { target: document.getElementById('app')! });
