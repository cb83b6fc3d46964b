// Sets up what is missing, with nothing but Node: packages as the lockfile says, and the pages. Does nothing when all is there.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const mark = join(root, 'node_modules', '.jiban-setup.json');
const pagesMark = join(root, 'dist', 'web', '.built-from');
const LOWEST = [[20, 19], [22, 12]];

const say = (text) => process.stderr.write(`${text}\n`);
const hashOf = (files) => {
  const hash = createHash('sha256');
  for (const file of files) hash.update(file.slice(root.length)).update('\0').update(readFileSync(file)).update('\0');
  return hash.digest('hex');
};
const filesUnder = (folder) => (existsSync(folder) ? readdirSync(folder, { recursive: true }).map((name) => join(folder, name)).filter((file) => statSync(file).isFile()).sort() : []);
const readMark = (file) => {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return ''; // not there yet
  }
};

export function checkNode(version = process.versions.node) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const fits = (major === LOWEST[0][0] && minor >= LOWEST[0][1]) || (major === LOWEST[1][0] && minor >= LOWEST[1][1]) || major > LOWEST[1][0];
  if (fits) return;
  say(`Jiban needs Node ^20.19 or >= 22.12; this is ${version}. 需要 Node ^20.19 或 ≥ 22.12，当前是 ${version}。`);
  process.exit(1);
}

function npm(args, why) {
  const cli = process.env.npm_execpath;
  const [command, first] = cli?.endsWith('.js') || cli?.endsWith('.cjs') ? [process.execPath, [cli]] : [process.platform === 'win32' ? 'npm.cmd' : 'npm', []];
  // npm's own settings of the calling run (--json, --silent, workspaces …) must not bend this one.
  const env = Object.fromEntries(Object.entries(process.env).filter(([key]) => !/^npm_(lifecycle|package|command)/u.test(key)));
  const result = spawnSync(command, [...first, ...args], { cwd: root, stdio: ['ignore', 2, 2], env, shell: process.platform === 'win32' });
  if (result.status === 0) return;
  say(`${why} failed. Can this machine reach the package registry? On a machine without a network use the offline bundle (docs/operations.md).`);
  process.exit(result.status ?? 1);
}

function installPackages() {
  const want = hashOf([join(root, 'package-lock.json')]);
  if (existsSync(join(root, 'node_modules', 'tsx')) && (readMark(mark) === want || readMark(mark) === 'bundle')) return;
  say('setting up: installing packages as package-lock.json says (once) …');
  npm(['ci', '--include=dev', '--no-fund', '--no-audit'], 'npm ci'); // NODE_ENV=production would leave out the page builder
  writeFileSync(mark, want);
}

export function pagesHash() {
  return hashOf([join(root, 'vite.config.ts'), ...filesUnder(join(root, 'src', 'web')), ...filesUnder(join(root, 'src', 'domain')), join(root, 'src', 'connectors', 'web', 'protocol.ts')]);
}

function buildPages() {
  const want = pagesHash();
  if (readMark(pagesMark) === want) return;
  if (!existsSync(join(root, 'node_modules', 'vite'))) return; // a bundle brings its pages ready
  say('setting up: building the pages …');
  const vite = join(root, 'node_modules', 'vite', 'bin', 'vite.js');
  const result = spawnSync(process.execPath, [vite, 'build', '--logLevel', 'warn'], { cwd: root, stdio: ['ignore', 2, 2] });
  if (result.status !== 0) {
    say('building the pages failed; see above.');
    process.exit(result.status ?? 1);
  }
  mkdirSync(dirname(pagesMark), { recursive: true });
  writeFileSync(pagesMark, want);
}

/** nodejieba has no prebuilt binary everywhere: built only where it is asked for. */
function buildNodejieba() {
  say('building nodejieba (needs a C++ compiler and Python) …');
  // Its own install script asks npx, which may not prompt here; npm run puts node-gyp on the path.
  const folder = join(root, 'node_modules', 'nodejieba');
  const builder = join(root, 'node_modules', '@mapbox', 'node-pre-gyp', 'bin', 'node-pre-gyp');
  const result = spawnSync(process.execPath, [builder, 'install', '--build-from-source'], { cwd: folder, stdio: ['ignore', 2, 2] });
  if (result.status === 0) return;
  say('building nodejieba failed; see above. SEGMENTER=jieba-rs needs no compiler.');
  process.exit(result.status ?? 1);
}

export function setUp({ pages = true, nodejieba = false } = {}) {
  checkNode();
  installPackages();
  if (pages) buildPages();
  if (nodejieba) buildNodejieba();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) setUp({ nodejieba: process.argv.includes('--nodejieba') });
