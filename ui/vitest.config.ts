import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  plugins: [svelte({ configFile: false })],
  test: {
    include: ['*/test/**/*.test.ts'],
    environment: 'node',
    // The icons are Svelte components, which Node cannot load as they lie in the package.
    server: { deps: { inline: ['@lucide/svelte'] } },
  },
});
