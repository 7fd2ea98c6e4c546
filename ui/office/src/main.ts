import '@standpipe/kit/tokens.css';
import '@standpipe/kit/base.css';
import './office.css';
import { follow, markDocument } from '@standpipe/kit';
import { mount } from 'svelte';
import App from './App.svelte';
import { overwriteGetLocale } from './paraglide/runtime.js';

follow(overwriteGetLocale);
markDocument();
mount(App, { target: document.getElementById('app')! });
