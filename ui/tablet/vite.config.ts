import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';

export default defineConfig({
  base: './',
  plugins: [svelte()],
  build: {
    target: 'es2022',
    modulePreload: false,
    // The shell's content policy allows no data: addresses but for pictures; everything stays a file.
    assetsInlineLimit: 0,
  },
  server: { port: 1420, strictPort: true },
});
