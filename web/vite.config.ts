import { resolve } from 'node:path';
import { defineConfig } from 'vite';

// Fixed names for the two pages: the server answers them with an ETag, so no page ever names a stale hash.
export default defineConfig({
  base: '/static/dist/',
  build: {
    outDir: resolve(import.meta.dirname, '../api/static/dist'),
    emptyOutDir: true,
    target: 'es2022',
    chunkSizeWarningLimit: 1500,
    rolldownOptions: {
      input: { map: resolve(import.meta.dirname, 'src/map.ts'), locate: resolve(import.meta.dirname, 'src/locate.ts') },
      output: {
        entryFileNames: '[name].js',
        chunkFileNames: 'chunks/[name]-[hash].js',
        assetFileNames: (asset) => (asset.names.some((n) => n.endsWith('.css')) ? '[name].css' : 'assets/[name]-[hash][extname]'),
      },
    },
  },
  test: { include: ['src/**/*.test.ts'] },
} as Parameters<typeof defineConfig>[0]);
