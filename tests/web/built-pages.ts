import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { build } from 'vite';

/** The pages as they are now, built into a folder of their own. */
export async function buildPages(): Promise<{ webRoot: string; drop(): Promise<void> }> {
  const webRoot = await mkdtemp(join(tmpdir(), 'jiban-pages-'));
  await build({ configFile: resolve('vite.config.ts'), logLevel: 'error', build: { outDir: webRoot, emptyOutDir: true } });
  return { webRoot, drop: () => rm(webRoot, { recursive: true, force: true }) };
}
