/**
 * `npm run keys -- backup|rotate|drop-old|check`: the master keys under which every resident's key is wrapped. Embedded, `rotate` and
 * `drop-old` need the data folder for themselves: stop Jiban first. Clustered, running processes read the changed file by themselves.
 */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { Keyring } from '../store/keyring.ts';
import { keyFile } from '../store/open-store.ts';
import { checkKeys, dropOldMasters, wrapAnew } from '../store/rotate-keys.ts';
import { openToolStore, readToolConfig, runTool, UsageError } from './open-tool.ts';

const HELP = `Usage: npm run keys -- COMMAND

  backup --out FILE   copies the key file (mode 0600); never overwrites. Keep it apart from the database's backups
  rotate              makes a new master and wraps every resident key anew; the old master stays in the file
  drop-old            takes the old masters out of the file, once nothing is wrapped by them
  check               opens every resident key; exit status 1 if one does not open
`;

const print = (value: object): void => void process.stdout.write(`${JSON.stringify(value)}\n`);
const config = readToolConfig();
const path = keyFile(config.DATA_DIR);

function backUp(out: string | undefined): number {
  if (out === undefined) throw new UsageError('backup needs --out FILE');
  const target = resolve(out);
  if (existsSync(target)) throw new UsageError(`${target} is already there; a key backup is never overwritten`);
  const ring = Keyring.readFile(path);
  ring.saveCopy(target);
  print({ backup: target, fingerprint: ring.fingerprint, active: ring.activeId });
  return 0;
}

async function rotate(): Promise<number> {
  const store = await openToolStore(config, { readonly: false });
  try {
    const ring = store.keyring.rotated(path);
    const wrapped = await wrapAnew(store.db, ring, (done) => void process.stderr.write(`${done} resident keys wrapped anew\n`));
    print({ active: ring.activeId, wrapped });
    process.stderr.write('back the key file up now (keys backup); then, once no database backup made before this day is to be restored: keys drop-old\n');
    return 0;
  } finally {
    await store.close();
  }
}

async function dropOld(): Promise<number> {
  const store = await openToolStore(config, { readonly: false });
  try {
    print({ active: (await dropOldMasters(store.db, store.keyring, path)).activeId });
    return 0;
  } finally {
    await store.close();
  }
}

async function check(): Promise<number> {
  const store = await openToolStore(config, { readonly: true });
  try {
    const found = await checkKeys(store.db, store.keyring, (residentId, why) => void process.stderr.write(`resident ${residentId}: ${why}\n`));
    print({ active: store.keyring.activeId, ...found });
    return found.broken === 0 ? 0 : 1;
  } finally {
    await store.close();
  }
}

runTool(async () => {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { out: { type: 'string' }, help: { type: 'boolean', default: false } } });
  const [command] = positionals;
  if (values.help || command === undefined) {
    process.stdout.write(HELP);
    return values.help ? 0 : 2;
  }
  switch (command) {
    case 'backup': return backUp(values.out);
    case 'rotate': return rotate();
    case 'drop-old': return dropOld();
    case 'check': return check();
    default: throw new UsageError(HELP);
  }
});
