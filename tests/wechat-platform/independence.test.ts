import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { expect, test } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
const simulator = join(root, 'tests/fakes/wechat-platform');

const importsOf = (file: string): string[] =>
  [...readFileSync(file, 'utf8').matchAll(/(?:\bfrom\s*|\bimport\s*\(?\s*)['"]([^'"]+)['"]/g)].map((found) => found[1] ?? '');

/** Every file that the simulator reaches, by any number of steps. */
function reached(): { readonly files: ReadonlySet<string>; readonly packages: ReadonlySet<string> } {
  const files = new Set<string>();
  const packages = new Set<string>();
  const walk = (file: string): void => {
    if (files.has(file)) return;
    files.add(file);
    for (const specifier of importsOf(file)) {
      if (specifier.startsWith('.')) walk(resolve(dirname(file), specifier));
      else packages.add(specifier);
    }
  };
  for (const name of readdirSync(simulator, { recursive: true, encoding: 'utf8' })) if (name.endsWith('.ts')) walk(join(simulator, name));
  return { files, packages };
}

test('the simulator shares no code with what it is there to test', () => {
  const ours = [...reached().files].map((file) => relative(root, file)).filter((file) => file.startsWith('src/'));
  expect(ours).toEqual([]);
  expect(reached().files.size).toBeGreaterThan(30);
});

test('it needs nothing but Node', () => {
  expect([...reached().packages].filter((name) => !name.startsWith('node:'))).toEqual([]);
});
