import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import vue from '@vitejs/plugin-vue';
import { defineConfig, type Plugin } from 'vite';

const root = resolve(import.meta.dirname, 'src/web');
const outDir = resolve(import.meta.dirname, 'dist/web');

/** Each page is `src/web/<name>/index.html`; the server maps `/` to chat and `/desk` to desk. */
const pages = ['chat', 'desk'].map((name) => join(root, name, 'index.html')).filter((file) => existsSync(file));

/** Compressed once here instead of on every request. */
function precompress(): Plugin {
  let folder = '';
  return {
    name: 'precompress',
    apply: 'build',
    configResolved(config) { folder = join(resolve(config.root, config.build.outDir), 'assets'); },
    closeBundle() {
      if (!existsSync(folder)) return;
      for (const name of readdirSync(folder).filter((file) => /\.(?:js|css|svg)$/.test(file))) {
        const bytes = readFileSync(join(folder, name));
        writeFileSync(join(folder, `${name}.gz`), gzipSync(bytes, { level: 9 }));
        writeFileSync(join(folder, `${name}.br`), brotliCompressSync(bytes));
      }
    },
  };
}

export default defineConfig({
  root,
  base: '/',
  plugins: [vue(), precompress()],
  build: {
    outDir,
    emptyOutDir: true,
    target: ['chrome87', 'safari14', 'firefox78'],
    modulePreload: { polyfill: false }, // it would be an inline script
    assetsInlineLimit: 0,
    rollupOptions: { input: pages },
  },
});
