import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';

const root = resolve(import.meta.dirname, '..');
const src = join(root, 'src');

/** Lower knows nothing of higher; rooms of one rank know nothing of each other. ARCHITECTURE.md draws the same picture. */
const RANK: Readonly<Record<string, number>> = {
  domain: 0, environment: 0, config: 1,
  nlp: 1, bot: 1, tickets: 1, dispatch: 1, notify: 1, desk: 1, insight: 1,
  connectors: 2, store: 2, coordination: 2, server: 2,
  app: 3, 'wechat-channels': 2.5,
  main: 4, cli: 4,
  web: 5,
};
/** The chat client runs in the page and in the terminal: it knows the protocol's types and nothing of a browser. */
const RANK_OF_SHARED_CLIENT = 3;
/** Files of the domain and the wire protocol that a page may know; everything else of ours stays on the server. */
const PAGE_MAY_KNOW = /^(?:domain\/.+|connectors\/web\/protocol)\.ts$/;

interface Arrow {
  readonly from: string;
  readonly to: string;
  /** `import type`: nothing of it runs. */
  readonly typeOnly: boolean;
}

const IMPORT = /(?:^|[;\n])\s*(?:import|export)\s+(type\s+)?(?:[\w*{},\s$]+?\sfrom\s*)?['"]([^'"]+)['"]|import\(\s*['"]([^'"]+)['"]\s*\)/g;

const withoutComments = (text: string): string => text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
const sourceFiles = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((name) => /\.(?:ts|js|vue)$/.test(name)).map((name) => name.replaceAll('\\', '/')).sort();

function importsOf(file: string): { specifier: string; typeOnly: boolean }[] {
  return [...withoutComments(readFileSync(join(src, file), 'utf8')).matchAll(IMPORT)].map((found) => ({ specifier: found[2] ?? found[3] ?? '', typeOnly: found[1] !== undefined }));
}

const arrows: readonly Arrow[] = sourceFiles.flatMap((from) =>
  importsOf(from).filter(({ specifier }) => specifier.startsWith('.')).map(({ specifier, typeOnly }) => ({
    from, typeOnly, to: relative(src, resolve(src, dirname(from), specifier)).replaceAll('\\', '/'),
  })));

/** `connectors/web` and `connectors/wecom-kf` are two rooms, everything else is named by its first folder or file. */
const roomOf = (file: string): string => (file.startsWith('connectors/') ? file.split('/').slice(0, 2).join('/') : (file.split('/')[0] ?? '').replace(/\.ts$/, ''));
/** What both WeChat connectors share lies below them. */
const RANK_OF_WIRE = 1.5;
const rankOf = (file: string): number | undefined => (file.startsWith('web/shared/') ? RANK_OF_SHARED_CLIENT : file.startsWith('connectors/wechat/') ? RANK_OF_WIRE : RANK[(file.split('/')[0] ?? '').replace(/\.ts$/, '')]);
const show = ({ from, to, typeOnly }: Arrow): string => `${from} → ${to}${typeOnly ? ' (type)' : ''}`;

describe('the import graph of src', () => {
  test('has a rank for every folder', () => {
    expect(sourceFiles.filter((file) => rankOf(file) === undefined)).toEqual([]);
    expect(arrows.length).toBeGreaterThan(200);
  });

  test('points one way: domain ← rooms ← connectors, store, coordination, server ← app ← main', () => {
    const turned = arrows.filter(({ from, to }) => !to.startsWith('..') && (rankOf(to) ?? 0) > (rankOf(from) ?? 0));
    expect(turned.map(show)).toEqual([]);
  });

  test('keeps rooms of one rank apart: app.ts hands one to the other', () => {
    const sideways = arrows.filter(({ from, to }) => !to.startsWith('..') && rankOf(from) === rankOf(to) && roomOf(from) !== roomOf(to) && rankOf(from) !== 0);
    expect(sideways.map(show)).toEqual([]);
  });

  test('has no cycle of files that run; types of one room may know each other', () => {
    const next = new Map<string, string[]>();
    for (const { from, to, typeOnly } of arrows) if (!typeOnly || roomOf(from) !== roomOf(to)) next.set(from, [...(next.get(from) ?? []), to]);
    const done = new Set<string>();
    const cycles: string[] = [];
    const walk = (file: string, path: readonly string[]): void => {
      const at = path.indexOf(file);
      if (at >= 0) cycles.push([...path.slice(at), file].join(' → '));
      if (at >= 0 || done.has(file)) return;
      for (const to of next.get(file) ?? []) walk(to, [...path, file]);
      done.add(file);
    };
    for (const file of sourceFiles) walk(file, []);
    expect(cycles).toEqual([]);
  });

  test('lets the pages know types of the domain and the protocol, nothing else', () => {
    const leaked = arrows.filter(({ from, to, typeOnly }) => from.startsWith('web/') && !to.startsWith('web/') && !(PAGE_MAY_KNOW.test(to) || typeOnly));
    expect(leaked.map(show)).toEqual([]);
  });

  test('keeps the domain free of libraries and of Node', () => {
    const libraries = sourceFiles.filter((file) => file.startsWith('domain/')).flatMap((file) => importsOf(file).filter(({ specifier }) => !specifier.startsWith('.')).map(({ specifier }) => `${file} → ${specifier}`));
    expect(libraries).toEqual([]);
  });

  test('keeps Botkit in the bot room, Kysely and the drivers in the store, Fastify out of the domain rooms', () => {
    const owners: readonly [RegExp, RegExp][] = [
      [/^(?:botkit|botbuilder)/, /^bot\//],
      [/^(?:kysely|libsql|pg)$/, /^store\//],
      [/^redis$/, /^coordination\//],
      [/^@xenova\/transformers$/, /^nlp\//],
      [/^(?:fastify|@fastify\/)/, /^(?:server|connectors|app\.ts)/],
    ];
    const strays = sourceFiles.flatMap((file) => importsOf(file).flatMap(({ specifier }) => owners.filter(([library, home]) => library.test(specifier) && !home.test(file)).map(() => `${file} → ${specifier}`)));
    expect(strays).toEqual([]);
  });

  test('reads process.env at the entries only', () => {
    const readers = sourceFiles.filter((file) => !/^(?:main\.ts|environment\.ts|cli\/)/.test(file) && /process\.env\b/.test(withoutComments(readFileSync(join(src, file), 'utf8'))));
    expect(readers).toEqual([]);
  });
});
