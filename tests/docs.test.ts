import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';

const root = resolve(import.meta.dirname, '..');
const SKIP = new Set(['node_modules', 'dist', 'var', '.git', 'artifacts', 'coverage']);

function markdownUnder(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory()) return SKIP.has(entry.name) ? [] : markdownUnder(path);
    return entry.name.endsWith('.md') ? [path] : [];
  });
}
const papers = markdownUnder('').sort();
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const scripts = Object.keys((JSON.parse(read('package.json')) as { scripts: Record<string, string> }).scripts);

const TOP = new Set(readdirSync(root));
/** A path of this repository: begins at one of its folders, or is a file that stands in its root. Globs and made files are not meant. */
function pathsIn(text: string): string[] {
  return [...text.matchAll(/`([^`\n]+)`/g)].map((found) => (found[1] ?? '').trim())
    .filter((word) => /^[\w.@-]+(?:\/[\w.@-]+)*\/?$/.test(word))
    .filter((word) => word.includes('/') && TOP.has(word.split('/')[0] ?? '') && !SKIP.has(word.split('/')[0] ?? ''));
}
const linksIn = (text: string): string[] => [...text.matchAll(/\]\(([^)\s]+)\)/g)].map((found) => (found[1] ?? '').split('#')[0] ?? '').filter((to) => to !== '' && !/^[a-z]+:/.test(to));

describe.each(papers)('%s', (paper) => {
  const text = read(paper);
  test('names only paths that are there', () => {
    const missing = pathsIn(text).filter((path) => !existsSync(join(root, path)) && !existsSync(join(root, dirname(paper), path)) && !existsSync(join(root, 'src', path)));
    expect(missing).toEqual([]);
  });
  test('links only to files that are there', () => {
    expect(linksIn(text).filter((to) => !existsSync(resolve(root, dirname(paper), to)))).toEqual([]);
  });
  test('names only npm scripts that are there', () => {
    const named = [...text.matchAll(/npm run (?:-s )?([a-z][\w:-]*)/g)].map((found) => found[1] ?? '');
    expect(named.filter((name) => !scripts.includes(name))).toEqual([]);
  });
  test('holds no path of somebody\'s machine', () => {
    expect(text.match(/(?:^|[\s`("'])(?:\/work|\/home|\/root|\/Users|\/tmp|[A-Z]:\\)[\\/]?[\w.-]*/g) ?? []).toEqual([]);
  });
});

test('every folder of src has its lines on what belongs there', () => {
  const rooms = readdirSync(join(root, 'src')).filter((name) => statSync(join(root, 'src', name)).isDirectory());
  expect(rooms.filter((name) => !['cli', 'connectors'].includes(name) && !existsSync(join(root, 'src', name, 'README.md')))).toEqual([]);
});
