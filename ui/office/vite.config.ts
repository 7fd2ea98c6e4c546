import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';

export default defineConfig({
  plugins: [svelte()],
  build: {
    target: 'es2022',
    modulePreload: false,
    // The hub's content policy allows no data: addresses but for pictures; everything stays a file.
    assetsInlineLimit: 0,
  },
  server: { port: 1421, strictPort: true, proxy: { '/api': process.env.STANDPIPE_HUB ?? 'http://127.0.0.1:4180' } },
});
