import type { User } from '../domain/desk.ts';
import { AppError } from '../domain/errors.ts';
import type { DirectoryJudge, DirectoryVersion, Replayed, StoredDirectory } from '../domain/directory-version.ts';
import { TOPICS } from '../domain/ports.ts';
import type { DeskDeps } from './deps.ts';
import { unitName } from './names.ts';
import type { DirectoryList, DirectoryReplay, DirectoryReport } from './views.ts';

/** A directory of a whole city has some thousand rows. */
export const DIRECTORY_MAX_CHARS = 1_000_000;
/** So many of the newest tickets are judged by a draft; all of them by `npm run directory -- replay`. */
const REPLAYED = 5_000;
const LISTED = 200;

export type DirectoryDeps = DeskDeps & { readonly directories: DirectoryJudge };

/** The versions of the files and those written here, newest first. */
export async function listDirectories(deps: DirectoryDeps): Promise<DirectoryList> {
  const { inForce, ofFiles, today } = deps.directories.versions();
  const stored = await deps.store.directories();
  const versions = [...stored.map(({ text: _, ...each }): DirectoryVersion => each), ...ofFiles];
  return { inForce, today, versions: versions.sort((a, b) => (a.validFrom < b.validFrom ? 1 : -1)) };
}

/** @throws AppError `message.invalid` */
export async function readDirectoryText(deps: DirectoryDeps, version: string): Promise<{ readonly version: string; readonly text: string }> {
  const text = (await deps.store.directories()).find((each) => each.version === version)?.text ?? deps.directories.textOf(version);
  if (text === null) throw new AppError('message.invalid', `there is no version ${version}`);
  return { version, text };
}

/** Every mistake at once, each with its row. */
export const checkDirectoryText = (deps: DirectoryDeps, text: string): DirectoryReport => {
  const { version, validFrom, rows, mistakes, notes } = deps.directories.judge(text);
  return { version, validFrom, rows, mistakes, notes };
};

/** 「这 41 件会去别处」: the newest tickets judged by the draft. No word of a resident is in the answer. @throws AppError `directory.refused` */
export async function replayDraft(deps: DirectoryDeps, text: string): Promise<DirectoryReplay> {
  const judged = sound(deps, text);
  const tickets = await deps.store.routedTickets(REPLAYED);
  const elsewhere = tickets.flatMap((ticket): Replayed[] => judged.elsewhere?.(ticket) ?? []);
  return {
    tickets: tickets.length, elsewhere: elsewhere.length, toDispatcher: elsewhere.filter((each) => each.to === null).length,
    shown: elsewhere.slice(0, LISTED).map(({ number, from, to, rule, because }) => ({ number, from: unitName(deps, from), to: unitName(deps, to), rule, because })),
  };
}

/** Keeps a draft under its version; a version in force is never rewritten. @throws AppError `directory.refused` */
export async function saveDraft(deps: DirectoryDeps, user: User, text: string): Promise<DirectoryReport> {
  const judged = deps.directories.judge(text);
  if (judged.version === '') throw new AppError('directory.refused', 'a draft needs a "version" and a "valid_from"');
  await deps.store.transaction(async (tx) => {
    const known = (await tx.directories()).find((each) => each.version === judged.version);
    if (known?.state === 'released' || deps.directories.textOf(judged.version) !== null) throw new AppError('directory.refused', `the version ${judged.version} is released; give the draft another name`);
    const draft: StoredDirectory = { version: judged.version, validFrom: judged.validFrom, state: 'draft', by: user.name, at: deps.now(), text };
    await tx.saveDirectory(draft);
  });
  return checkDirectoryText(deps, text);
}

/**
 * 生效: from its first day on the version decides, in every process, without a restart.
 *
 * @throws AppError `directory.refused` with its mistakes, or where its first day is past
 */
export async function releaseDirectory(deps: DirectoryDeps, user: User, version: string): Promise<DirectoryList> {
  await deps.store.transaction(async (tx) => {
    const draft = (await tx.directories()).find((each) => each.version === version && each.state === 'draft');
    if (!draft) throw new AppError('message.invalid', `there is no draft ${version}`);
    const judged = sound(deps, draft.text);
    const { today } = deps.directories.versions();
    if (judged.validFrom < today) throw new AppError('directory.refused', `"valid_from" is ${judged.validFrom}; what is past was decided by another version. The first day can be today (${today})`);
    await tx.saveDirectory({ ...draft, state: 'released', by: user.name, at: deps.now() });
  });
  await deps.directories.reload();
  deps.coordination.publish(TOPICS.directory, version);
  return listDirectories(deps);
}

function sound(deps: DirectoryDeps, text: string): ReturnType<DirectoryJudge['judge']> {
  const judged = deps.directories.judge(text);
  if (judged.mistakes.length > 0) throw new AppError('directory.refused', judged.mistakes.join('\n'));
  return judged;
}
